// The session (login) whose request runs in this transaction. The dispatcher sets it; logout and change-password ask
// for it through relygate.current_session_id(). It ends with the transaction, so that no later statement inherits it.
#pragma once

#include "pg/postgres.hpp"

namespace relygate::pg {

// Null: the request has no session (a public route, a token of an external issuer).
void set_current_session(const pg_uuid_t *id);

} // namespace relygate::pg
