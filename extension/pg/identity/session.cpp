// The session of the running request; see session.hpp. A static of the backend, never a setting: nobody can choose it
// by SET.
#include "pg/identity/session.hpp"

#include "pg/boundary.hpp"

namespace relygate::pg {
namespace {

pg_uuid_t current_session;
bool has_session = false;
bool watches_transactions = false;

void forget_session(XactEvent event, void *) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
        has_session = false;
}

} // namespace

void set_current_session(const pg_uuid_t *id) {
    if (!watches_transactions) {
        RegisterXactCallback(forget_session, nullptr);
        watches_transactions = true;
    }
    has_session = id != nullptr;
    if (id != nullptr)
        current_session = *id;
}

// relygate.current_session_id() uuid
RELYGATE_FUNCTION(relygate_current_session_id) {
    if (!has_session)
        PG_RETURN_NULL();
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *id = current_session;
    PG_RETURN_UUID_P(id);
}

} // namespace relygate::pg
