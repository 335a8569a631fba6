// Ends the sessions of a login whose binding changes. An open session keeps the tenant of its start, so it must end,
// and only when the change is committed: a client that comes back sooner would get the old tenant again.
#include "pg/boundary.hpp"

extern "C" {
#include <csignal>
#include <storage/proc.h>
}

namespace {

// The logins of this transaction; more than so many at once is refused.
constexpr std::size_t kMaxLogins = 32;
std::array<Oid, kMaxLogins> ending;
std::size_t ending_count;

// A session that starts meanwhile shows its role before it reads its settings: it is found here, or reads the new ones.
void end_sessions() {
    for (uint32 i = 0; i < ProcGlobal->allProcCount; i++) {
        const PGPROC &process = ProcGlobal->allProcs[i];
        const int pid = process.pid;
        if (pid > 0 && pid != MyProcPid && process.databaseId == MyDatabaseId &&
            std::find(ending.begin(), ending.begin() + ending_count, process.roleId) != ending.begin() + ending_count)
            kill(pid, SIGTERM);
    }
}

void at_end_of_transaction(XactEvent event, void *) {
    if (event == XACT_EVENT_COMMIT && ending_count > 0)
        end_sessions();
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
        ending_count = 0;
}

} // namespace

RELYGATE_FUNCTION(relygate_end_role_sessions) {
    static bool is_registered = false;
    if (!is_registered) {
        RegisterXactCallback(at_end_of_transaction, nullptr);
        is_registered = true;
    }
    if (!superuser())
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("must be superuser to end the sessions of a role"));
    if (ending_count == kMaxLogins)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("too many logins are bound or unbound in one transaction"));
    ending[ending_count++] = PG_GETARG_OID(0);
    PG_RETURN_VOID();
}
