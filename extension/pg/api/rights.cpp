// See rights.hpp.
#include "pg/api/rights.hpp"

#include "pg/api/plan.hpp"

namespace relygate::pg {
namespace {

// platform.* exists in the operator's tenant alone, whatever a role there or elsewhere says.
constexpr const char *kRights =
    "SELECT t.state::pg_catalog.text, t.country::pg_catalog.text, r.name::pg_catalog.text,"
    "       u.is_active AND ($2 IS NULL OR EXISTS (SELECT FROM relygate.sessions s"
    "           WHERE s.tenant_id = u.tenant_id AND s.id = $2 AND s.user_id = u.id AND s.revoked_at IS NULL"
    "             AND s.expires_at > pg_catalog.statement_timestamp())),"
    "       CASE WHEN $3 = 'signed_in' THEN true"
    "            WHEN $3 LIKE 'platform.%' AND NOT t.is_operator THEN false"
    "            WHEN r.is_built_in THEN $3 = ANY (relygate.built_in_permissions(r.name))"
    "            ELSE EXISTS (SELECT FROM relygate.role_permissions p"
    "                          WHERE p.tenant_id = r.tenant_id AND p.role_id = r.id AND p.permission = $3) END"
    "  FROM relygate.tenants t"
    "  JOIN relygate.users u ON u.tenant_id = t.id"
    "  JOIN relygate.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id"
    " WHERE t.id = relygate.current_tenant() AND u.id = $1";

constexpr const char *kTenant = "SELECT t.state::pg_catalog.text, t.country::pg_catalog.text FROM relygate.tenants t"
                                " WHERE t.id = relygate.current_tenant()";

const char *column_text(int column) {
    return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

bool column_flag(int column) {
    bool is_null;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &is_null);
    return !is_null && DatumGetBool(value);
}

void read_tenant(Rights &rights) {
    rights.is_suspended = std::string_view(column_text(1)) == "suspended";
    rights.country = column_text(2);
}

} // namespace

Rights look_up_rights(Datum user, const Datum *session, const char *permission) {
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan(kRights, {UUIDOID, UUIDOID, TEXTOID});
    Datum values[] = {user, session ? *session : Datum{0}, CStringGetTextDatum(permission)};
    const char nulls[] = {' ', session ? ' ' : 'n', ' ', '\0'};
    if (SPI_execute_plan(plan, values, nulls, true, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not look up the rights of a user");
    Rights rights{};
    if (SPI_processed == 0)
        return rights;
    read_tenant(rights);
    rights.role = column_text(3);
    rights.is_known = column_flag(4);
    rights.is_allowed = column_flag(5);
    SPI_freetuptable(SPI_tuptable);
    return rights;
}

void look_up_tenant(Rights &rights) {
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan(kTenant, {});
    if (SPI_execute_plan(plan, nullptr, nullptr, true, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not look up a tenant");
    if (SPI_processed == 0)
        return; // there is no such tenant: the function finds no row either
    read_tenant(rights);
    SPI_freetuptable(SPI_tuptable);
}

} // namespace relygate::pg
