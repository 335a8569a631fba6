// relygate.touch_row(): BEFORE INSERT OR UPDATE. By whom a row was made and changed last is the context's to say, not
// the writer's; a DBA, who has no user, may name when and by whom a row was made (data of an older system), once.
// Columns that a table lacks are left out.
#include "pg/rules/row.hpp"
#include "pg/tenancy/context.hpp"

namespace relygate::pg {

RELYGATE_FUNCTION(relygate_touch_row) {
    Row row(fcinfo, "touch_row");
    const auto now = not_null(TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
    const pg_uuid_t *user_id = current_user_id_or_null();
    const auto user = user_id ? not_null(UUIDPGetDatum(user_id)) : null_datum();
    if (const int column = row.find("created_at", TIMESTAMPTZOID))
        row.set(column, !row.is_insert() ? row.before(column) : row.now(column).isnull ? now : row.now(column));
    if (const int column = row.find("created_by", UUIDOID))
        row.set(column, !row.is_insert() ? row.before(column) : user.isnull ? row.now(column) : user);
    if (const int column = row.find("updated_at", TIMESTAMPTZOID))
        row.set(column, now);
    if (const int column = row.find("updated_by", UUIDOID))
        row.set(column, user);
    return row.result();
}

} // namespace relygate::pg
