// What happens when PostgreSQL loads the library: each room registers what it needs, in an order that is theirs alone.
#include "pg/postgres.hpp"

extern "C" {
PG_MODULE_MAGIC;
void _PG_init(void);
}

void _PG_init(void) {}
