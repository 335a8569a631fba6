// A kept SPI plan: prepared at the first use in a backend, planned again by PostgreSQL when a table changes.
#pragma once

#include "pg/postgres.hpp"

namespace relygate::pg {

inline SPIPlanPtr keep_plan(const char *sql, std::initializer_list<Oid> types) {
    SPIPlanPtr plan = SPI_prepare(sql, static_cast<int>(types.size()), const_cast<Oid *>(types.begin()));
    if (plan == nullptr || SPI_keepplan(plan) != 0)
        elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
    return plan;
}

} // namespace relygate::pg
