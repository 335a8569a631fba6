// Writes rows of relygate.audit_log as relygate_audit, who alone may insert there.
#pragma once

#include "pg/postgres.hpp"

namespace relygate::pg {

// The columns that a row is given; all others have their DEFAULT.
struct AuditRow {
    static constexpr int kColumns = 13;
    Datum values[kColumns];
    char nulls[kColumns + 1]; // ' ' or 'n'

    // Columns in the order of `values`.
    static constexpr const char *kNames[kColumns] = {
        "tenant_id", "user_id", "user_role", "database_role", "request_id",     "client_address", "table_name",
        "row_id",    "action",  "changes",   "salt",          "changes_digest", "cluster"};
    static constexpr Oid kTypes[kColumns] = {UUIDOID, UUIDOID, TEXTOID, TEXTOID,  TEXTOID,  INETOID, TEXTOID,
                                             UUIDOID, TEXTOID, JSONOID, BYTEAOID, BYTEAOID, INT8OID};
};

void write_audit_row(const AuditRow &row);

} // namespace relygate::pg
