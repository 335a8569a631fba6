// What happens when PostgreSQL loads the library: each room registers what it needs, in an order that is theirs alone.
#include "pg/boundary.hpp"
#include "pg/identity/key_file.hpp"
#include "pg/tenancy/context.hpp"

extern "C" {
PG_MODULE_MAGIC;
void _PG_init(void); // NOLINT(bugprone-reserved-identifier): the name that PostgreSQL looks for
}

void _PG_init(void) {
    relygate::pg::define_context();
    relygate::pg::define_key_file();
    // Last, when every setting of ours is defined: afterwards a misspelt one is an error instead of a silent
    // placeholder.
    MarkGUCPrefixReserved("relygate");
}

RELYGATE_FUNCTION(relygate_version) {
    PG_RETURN_TEXT_P(cstring_to_text(RELYGATE_RELEASE));
}
