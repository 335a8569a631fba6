// The settings of the tenant context and the verdict on their values; context.hpp says what for.
//
// The check hook notes beside each value how it came to be: `extra` = id, source, transaction. PostgreSQL stacks that
// note with the value, so RESET, DISCARD ALL, ROLLBACK TO and the end of a function's SET clause bring back the right
// one, calling only the assign hook. Hooks touch no catalog; the verdict falls when the context is used. No id is kept
// anywhere else.
#include "pg/tenancy/context.hpp"

#include "core/base/uuid.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include <access/parallel.h>
#include <arpa/inet.h>
#include <storage/proc.h>
}

namespace relygate::pg {
namespace {

constexpr int kNoContext = MAKE_SQLSTATE('R', 'G', '4', '0', '1');
constexpr int kWrongContext = MAKE_SQLSTATE('R', 'G', '5', '0', '0');
constexpr const char *kTenantSetting = "app.tenant_id";
constexpr const char *kUserSetting = "app.user_id";
constexpr const char *kLifetimeSetting = "relygate.context_lifetime";

enum Lifetime : int { kSession, kTransaction };
constexpr config_enum_entry kLifetimes[] = {
    {"session", kSession, false}, {"transaction", kTransaction, false}, {nullptr, 0, false}};

// What the check hook notes and PostgreSQL keeps with the value.
struct Note {
    pg_uuid_t id;
    GucSource source;
    LocalTransactionId transaction; // 0: set before the library was loaded, in no transaction of its own
};
static_assert(std::is_trivially_destructible_v<Note>);

// The variables behind the settings; PostgreSQL owns what they point to.
char *tenant_text, *user_text, *role_text, *request_text, *address_text, *issuer_text;
int lifetime = kSession;
bool is_lifetime_set; // by whoever may, be it before the library was loaded
int token_lifetime_s;
const Note *tenant_note, *user_note;

bool is_initializing; // while _PG_init defines the settings and re-applies values set before

// Lifetime transaction: the tenant for which this transaction has answered first.
LocalTransactionId answered_in;
pg_uuid_t answered_for;

// Whether the session's user may choose a tenant; dropped when a parameter's rights, a membership or a role changes.
Oid entitled_user = InvalidOid;
bool is_entitled;
uint64 rights_changes;

LocalTransactionId this_transaction() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

// PostgreSQL frees `extra` itself: with free up to 15, from a memory context of its own afterwards.
void *allocate_extra(std::size_t bytes) {
#if PG_VERSION_NUM >= 160000
    return guc_malloc(LOG, bytes);
#else
    return std::malloc(bytes);
#endif
}

bool check_id(char **value, void **extra, GucSource source) {
    if (*value == nullptr || **value == '\0')
        return true; // no context
    const auto id = core::parse_uuid(*value);
    if (!id) {
        GUC_check_errcode(ERRCODE_INVALID_TEXT_REPRESENTATION);
        GUC_check_errdetail("The value is not a UUID.");
        return false;
    }
    auto *note = static_cast<Note *>(allocate_extra(sizeof(Note)));
    if (note == nullptr) {
        GUC_check_errcode(ERRCODE_OUT_OF_MEMORY);
        return false;
    }
    std::memcpy(note->id.data, id->data(), id->size());
    note->source = source;
    note->transaction = is_initializing || MyProc == nullptr ? 0 : this_transaction();
    *extra = note;
    return true;
}

bool check_lifetime(int *, void **, GucSource source) {
    is_lifetime_set = is_lifetime_set || source > PGC_S_DYNAMIC_DEFAULT;
    return true;
}

bool check_address(char **value, void **, GucSource) {
    unsigned char address[sizeof(in6_addr)];
    return *value == nullptr || **value == '\0' || inet_pton(AF_INET, *value, address) == 1 ||
           inet_pton(AF_INET6, *value, address) == 1;
}

// It goes into logs and audit rows: printable ASCII, of a bounded length.
bool check_request_id(char **value, void **, GucSource) {
    if (*value == nullptr)
        return true;
    const std::string_view id = *value;
    return id.size() <= 200 && std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

void assign_tenant(const char *, void *extra) {
    tenant_note = static_cast<const Note *>(extra);
}
void assign_user(const char *, void *extra) {
    user_note = static_cast<const Note *>(extra);
}

void forget_entitlement(Datum, int, uint32) {
    entitled_user = InvalidOid;
    rights_changes++;
}

// Wall 2. The right is the session's user's, not the current one's: else a SECURITY DEFINER function of a role that may
// choose would choose for everybody.
void require_entitlement() {
    const Oid user = GetSessionUserId();
    if (user != entitled_user) {
        const uint64 changes = rights_changes;
        is_entitled = pg_parameter_aclcheck(kTenantSetting, user, ACL_SET) == ACLCHECK_OK;
        if (changes == rights_changes) // else a change came in during the look-up: look again next time
            entitled_user = user;
    }
    if (!is_entitled)
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("role \"%s\" may not choose a tenant", GetUserNameFromId(user, true)),
                errhint("The session's user needs SET on parameter %s, or a login bound to a tenant.", kTenantSetting));
}

[[noreturn]] void raise_not_of_this_transaction(const char *setting) {
    ereport(ERROR, errcode(kWrongContext), errmsg("%s was not set in this transaction", setting),
            errhint("Set it with set_config('%s', ..., true) in the transaction that uses it.", setting));
    pg_unreachable();
}

// Walls 2 and 3: may a value that came to be so be used here and now?
void judge(const Note &note, const char *setting) {
    switch (note.source) {
    case PGC_S_USER: // ALTER ROLE ... SET: the login is bound
    case PGC_S_DATABASE_USER:
        if (lifetime == kTransaction)
            raise_not_of_this_transaction(setting);
        return;
    case PGC_S_CLIENT:  // chosen: connection options
    case PGC_S_SESSION: // or SET, set_config, a function's SET clause
        require_entitlement();
        // A parallel worker takes the leader's settings over in a transaction of its own, so there the number means
        // nothing.
        if (lifetime == kTransaction && (IsParallelWorker() || note.transaction != this_transaction()))
            raise_not_of_this_transaction(setting);
        return;
    default:
        ereport(
            ERROR, errcode(kWrongContext),
            errmsg("%s comes from the server's or the database's configuration", setting),
            errhint("Nobody inherits a tenant by configuration: set it with set_config('%s', ..., true), or bind the "
                    "login with relygate.bind_role().",
                    setting));
    }
}

// One transaction, one tenant. Without it a UNION ALL around set_config would mix two tenants in one answer.
void hold_to_first_tenant(const pg_uuid_t &id) {
    const LocalTransactionId now = this_transaction();
    if (answered_in == now && std::memcmp(answered_for.data, id.data, UUID_LEN) != 0)
        ereport(ERROR, errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                errmsg("this transaction already works for another tenant"),
                errhint("Commit before you work for the next tenant."));
    answered_in = now;
    answered_for = id;
}

void define_text(const char *name, const char *what, char **variable, const char *initial, GucContext who,
                 GucStringCheckHook check, GucStringAssignHook assign) {
    DefineCustomStringVariable(name, what, nullptr, variable, initial, who, 0, check, assign, nullptr);
}

} // namespace

void define_context() {
    is_initializing = true;
    const bool is_lifetime_given = GetConfigOption(kLifetimeSetting, true, false) != nullptr;
    DefineCustomEnumVariable(kLifetimeSetting, "How long a chosen tenant context may be used.",
                             "transaction: only in the transaction that set it, and for one tenant.", &lifetime,
                             kSession, kLifetimes, PGC_SUSET, 0, check_lifetime, nullptr, nullptr);
    // A connection option takes the place of the role's setting and is thrown away when the login may not give it: the
    // stricter lifetime then, not the default.
    if (is_lifetime_given && !is_lifetime_set)
        SetConfigOption(kLifetimeSetting, "transaction", PGC_SUSET, PGC_S_OVERRIDE);
    define_text(kTenantSetting, "The tenant whose rows are seen.", &tenant_text, "", PGC_SUSET, check_id,
                assign_tenant);
    define_text(kUserSetting, "The user who makes the request.", &user_text, "", PGC_SUSET, check_id, assign_user);
    define_text("app.user_role", "The role of that user.", &role_text, "", PGC_SUSET, nullptr, nullptr);
    define_text("app.request_id", "The id of the request, for log and audit.", &request_text, "", PGC_SUSET,
                check_request_id, nullptr);
    define_text("app.client_address", "The address that the request came from.", &address_text, "", PGC_SUSET,
                check_address, nullptr);
    DefineCustomIntVariable("relygate.token_lifetime", "How long an access token is good for.", nullptr,
                            &token_lifetime_s, 8 * 3600, 60, 30 * 86400, PGC_USERSET, GUC_UNIT_S, nullptr, nullptr,
                            nullptr);
    define_text("relygate.token_issuer", "The issuer (iss) of access tokens.", &issuer_text, "relygate", PGC_USERSET,
                nullptr, nullptr);
    is_initializing = false;

    CacheRegisterSyscacheCallback(PARAMETERACLNAME, forget_entitlement, Datum(0));
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_entitlement, Datum(0));
    CacheRegisterSyscacheCallback(AUTHOID, forget_entitlement, Datum(0));
}

void set_context_locally(const char *name, const char *value) {
    // PGC_USERSET: so that the right of the current user is asked for, as SET would.
    (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

void turn_context_to(const char *tenant_id) {
    set_context_locally(kTenantSetting, tenant_id);
    answered_in = 0;
}

const pg_uuid_t *current_tenant_or_raise() {
    const Note *note = tenant_note;
    if (note == nullptr)
        ereport(ERROR, errcode(kNoContext), errmsg("no tenant context"),
                errhint("Set %s in this transaction, or use a login that is bound to a tenant.", kTenantSetting));
    judge(*note, kTenantSetting);
    if (lifetime == kTransaction)
        hold_to_first_tenant(note->id);
    return &note->id;
}

const pg_uuid_t *current_user_id_or_null() {
    const Note *note = user_note;
    if (note == nullptr)
        return nullptr;
    judge(*note, kUserSetting);
    return &note->id;
}

const char *current_user_role() {
    return role_text == nullptr ? "" : role_text;
}
const char *current_request_id() {
    return request_text == nullptr ? "" : request_text;
}
const char *current_client_address() {
    return address_text == nullptr ? "" : address_text;
}

std::int64_t token_lifetime_seconds() {
    return token_lifetime_s;
}

} // namespace relygate::pg

namespace {

// A copy: the setting may change while a plan still holds the result.
Datum copy_of(const pg_uuid_t *id) {
    auto *copy = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    *copy = *id;
    return UUIDPGetDatum(copy);
}

} // namespace

RELYGATE_FUNCTION(relygate_current_tenant) {
    return copy_of(relygate::pg::current_tenant_or_raise());
}

RELYGATE_FUNCTION(relygate_current_user_id) {
    const pg_uuid_t *id = relygate::pg::current_user_id_or_null();
    if (id == nullptr)
        PG_RETURN_NULL();
    return copy_of(id);
}
