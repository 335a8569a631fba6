// relygate.sort_key(word text, moment timestamptz) text: what a row of a list is sorted by, as its cursor carries it. A
// page has a hundred rows, and to_char would cost as much as the rest of the list; it writes UTC whatever the session's
// time zone and DateStyle are.
#include "pg/api/answer.hpp"
#include "pg/boundary.hpp"

namespace relygate::pg {

RELYGATE_FUNCTION(relygate_sort_key) {
    if (!PG_ARGISNULL(0))
        PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    const bool is_finite = !PG_ARGISNULL(1) && !TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1));
    PG_RETURN_TEXT_P(make_text(is_finite ? print_instant(PG_GETARG_TIMESTAMPTZ(1)) : std::string_view()));
}

} // namespace relygate::pg
