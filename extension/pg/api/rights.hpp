// Step 2 of a request: the session is live, the user active, and the permissions are those of now, not of the token.
// Looked up under the tenant's own row-level security and kept in the backend until one of the rows changes, so a
// revoked session or right is refused from the next request on.
#pragma once

#include "pg/postgres.hpp"

namespace relygate::pg {

struct Rights {
    bool is_known = false;   // tenant, user and (where the token names one) live session are there
    bool is_allowed = false; // the permission is held
    bool is_suspended = false;
    const char *country = ""; // of the tenant, for the rules; none on a public route
    const char *role = "";
};

// Under the context of the tenant. `session` may be null: tokens of an external issuer have none.
Rights look_up_rights(Datum user, const Datum *session, const char *permission);

// Whether this tenant is suspended, and its country: asked again where the context has turned.
void look_up_tenant(Rights &rights);

} // namespace relygate::pg
