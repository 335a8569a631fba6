// The tenant context: for whom does this transaction work? It is carried by the settings app.tenant_id, app.user_id,
// app.user_role, app.request_id and app.client_address, and three walls stand around it (docs/isolation.md): who may
// set it (PGC_SUSET and SET granted by parameter), who may use it (how the value came to be), how long it lasts
// (relygate.context_lifetime). All of this may longjmp: call it with nothing destructible alive.
#pragma once

#include "pg/postgres.hpp"

namespace relygate::pg {

// From _PG_init: defines the settings with their hooks. Touches no catalog.
void define_context();

// Sets one of the settings until the end of the transaction with the right of the current user (42501 if that has no
// SET).
void set_context_locally(const char *name, const char *value);

// Turns the transaction to another tenant, which is otherwise refused (25001) once it has answered for one. Only where
// no statement of the first tenant is still running: the dispatcher, before it calls a function with a tenant_argument.
void turn_context_to(const char *tenant_id);

// The tenant of this transaction, or an error: RG401 none, RG500 left over or configured, 42501 not entitled to choose,
// 25001 a second tenant. The result stays valid until the setting changes.
const pg_uuid_t *current_tenant_or_raise();

// The user of this request by the same rules; nullptr where there is none (a DBA, a reporting login, a public route).
const pg_uuid_t *current_user_id_or_null();

// For the audit, "" where there is none. Valid until the setting changes.
const char *current_user_role();
const char *current_request_id();
const char *current_client_address();

// relygate.token_lifetime.
std::int64_t token_lifetime_seconds();

} // namespace relygate::pg
