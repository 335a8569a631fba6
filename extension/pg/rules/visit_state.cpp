// relygate.visit_state_change(): BEFORE INSERT OR UPDATE OF state on visits, without WHEN, so that a second check-out
// is looked at too. The table of core/state/visit.hpp decides; times and users of check-in and check-out are set here
// and nowhere else.
#include "core/state/visit.hpp"
#include "pg/rules/row.hpp"
#include "pg/tenancy/context.hpp"

extern "C" {
#include <utils/datetime.h>
#include <utils/json.h>
}

namespace relygate::pg {
namespace {

std::string_view state_view(NullableDatum state) {
    return state.isnull ? std::string_view() : text_view(DatumGetTextPP(state.value));
}

// RFC 3339 in UTC, as all answers have it.
const char *print_instant(Datum instant) {
    char text[MAXDATELEN + 1];
    int utc = 0;
    JsonEncodeDateTime(text, instant, TIMESTAMPTZOID, &utc);
    if (char *offset = std::strstr(text, "+00:00")) {
        offset[0] = 'Z';
        offset[1] = '\0';
    }
    return pstrdup(text);
}

// What the loser of a race needs to know: which visit, its state and since when.
const char *describe(const Row &row, std::string_view state) {
    StringInfoData json;
    initStringInfo(&json);
    const auto id = row.before(row.column("id", UUIDOID));
    appendStringInfo(&json, "{\"id\":\"%s\",\"state\":\"%.*s\"",
                     DatumGetCString(DirectFunctionCall1(uuid_out, id.value)), static_cast<int>(state.size()),
                     state.data());
    const auto checked_in_at = row.before(row.column("checked_in_at", TIMESTAMPTZOID));
    if (!checked_in_at.isnull)
        appendStringInfo(&json, ",\"checkedInAt\":\"%s\"", print_instant(checked_in_at.value));
    const auto checked_out_at = row.before(row.column("checked_out_at", TIMESTAMPTZOID));
    if (!checked_out_at.isnull)
        appendStringInfo(&json, ",\"checkedOutAt\":\"%s\"", print_instant(checked_out_at.value));
    appendStringInfoChar(&json, '}');
    return json.data;
}

void check_transition(const Row &row, std::string_view to) {
    if (row.is_insert()) {
        value_or_raise(run_rule([&] { return core::begin_visit(to); }));
        return;
    }
    const auto from = state_view(row.before(row.column("state", TEXTOID)));
    const auto allowed = run_rule([&] { return core::change_visit(from, to); });
    if (!allowed)
        raise_refusal(allowed.refusal(), describe(row, from));
}

// The user of the request; a DBA, who has none, may name one.
void set_user(Row &row, const char *column_name) {
    if (const pg_uuid_t *user = current_user_id_or_null())
        row.set(row.column(column_name, UUIDOID), not_null(UUIDPGetDatum(user)));
}

// A time that the statement gives stands (a DBA enters a visit of yesterday); else it is now.
TimestampTz set_time(Row &row, const char *column_name, TimestampTz now) {
    const int column = row.column(column_name, TIMESTAMPTZOID);
    if (const auto given = row.now(column); !given.isnull && row.is_changed(column))
        return DatumGetTimestampTz(given.value);
    row.set(column, not_null(TimestampTzGetDatum(now)));
    return now;
}

} // namespace

RELYGATE_FUNCTION(relygate_visit_state_change) {
    Row row(fcinfo, "visit_state_change");
    const auto to = state_view(row.now(row.column("state", TEXTOID)));
    check_transition(row, to);
    const TimestampTz now = GetCurrentTransactionStartTimestamp();
    if (to == "checked_in") {
        set_time(row, "checked_in_at", now);
        set_user(row, "checked_in_by");
    } else if (to == "checked_out") {
        const auto since = row.now(row.column("checked_in_at", TIMESTAMPTZOID));
        const TimestampTz checked_in_at = since.isnull ? now : DatumGetTimestampTz(since.value);
        // This transaction may have begun before the one that let the visitor in.
        if (set_time(row, "checked_out_at", std::max(now, checked_in_at)) < checked_in_at)
            raise_refusal({400, "range", "check-out is earlier than check-in", nullptr, "checkedOutAt"});
        set_user(row, "checked_out_by");
    }
    return row.result();
}

} // namespace relygate::pg
