"""The three walls around the tenant context (extension/pg/tenancy/context.cpp): who may set it, who may use it, how long."""
from mutation.defence import Defence, Source, Sql

CONTEXT = "extension/pg/tenancy/context.cpp"
SUSET = Source(CONTEXT, 'define_text(kTenantSetting, "The tenant whose rows are seen.", &tenant_text, "", PGC_SUSET',
               'define_text(kTenantSetting, "The tenant whose rows are seen.", &tenant_text, "", PGC_USERSET')
ENTITLEMENT = Source(CONTEXT, "        require_entitlement();\n", "")

DEFENCES = [
    Defence("no-context-error", "1, rls-005", "an error where there is no context",
            Source(CONTEXT, "    if (note == nullptr)\n        ereport(ERROR, errcode(kNoContext)",
                   "    static const pg_uuid_t nobody{};\n    if (note == nullptr)\n        return &nobody;\n    if (note == nullptr)\n"
                   "        ereport(ERROR, errcode(kNoContext)")),
    Defence("suset", "2, rls-006", "PGC_SUSET of app.tenant_id: who may set it", SUSET),
    Defence("user-suset", "2", "PGC_SUSET of app.user_id",
            Source(CONTEXT, 'define_text(kUserSetting, "The user who makes the request.", &user_text, "", PGC_SUSET',
                   'define_text(kUserSetting, "The user who makes the request.", &user_text, "", PGC_USERSET')),
    Defence("lifetime-suset", "2", "PGC_SUSET of relygate.context_lifetime",
            Source(CONTEXT, "kSession, kLifetimes, PGC_SUSET", "kSession, kLifetimes, PGC_USERSET")),
    Defence("entitlement", "7", "the session's user must hold SET: who may use it", ENTITLEMENT),
    Defence("suset-and-entitlement", "2", "both of the walls", SUSET, ENTITLEMENT),
    Defence("id-beside-value", "3, 6", "the id lives in the note beside the value alone",
            Source(CONTEXT, "constexpr int kNoContext", "pg_uuid_t cached;\nconstexpr int kNoContext"),
            Source(CONTEXT, "    note->source = source;", "    cached = note->id;\n    note->source = source;"),
            Source(CONTEXT, "    return &note->id;\n}\n\nconst pg_uuid_t *current_user", "    return &cached;\n}\n\nconst pg_uuid_t *current_user")),
    Defence("no-transaction-before-load", "4", "a value set before the library was loaded is of no transaction",
            Source(CONTEXT, "is_initializing || MyProc == nullptr ? 0 : this_transaction()", "this_transaction()")),
    Defence("preload", "2, 4", "session_preload_libraries of the database",
            Sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET session_preload_libraries', current_database()); END $$")),
    Defence("preload-not-settable", "2", "session_preload_libraries is a superuser's to set",
            Sql("GRANT SET ON PARAMETER session_preload_libraries TO relygate_reporting",
                undo="REVOKE SET ON PARAMETER session_preload_libraries FROM relygate_reporting")),
    Defence("lifetime-stricter", "8", "the stricter lifetime where a forbidden option took the role's away",
            Source(CONTEXT, "if (is_lifetime_given && !is_lifetime_set)", "if (false)")),
    Defence("source-of-value", "5", "what came by configuration is refused",
            Source(CONTEXT, "    default:\n", "    default:\n        if (note.source != PGC_S_TEST)\n            return;\n")),
    Defence("transaction-lifetime", "8, 9, rls-003", "the service's role has lifetime transaction",
            Sql("ALTER ROLE relygate_shim RESET relygate.context_lifetime",
                undo="ALTER ROLE relygate_shim SET relygate.context_lifetime = 'transaction'")),
    Defence("one-tenant", "8", "one transaction, one tenant",
            Source(CONTEXT, "        hold_to_first_tenant(note->id);", "        answered_in = 0, (void)hold_to_first_tenant;")),
    Defence("transaction-beside-value", "8, 9", "the transaction lives in the note beside the value",
            Source(CONTEXT, " || note.transaction != this_transaction()", "")),
    Defence("stable", "10, rls-013", "current_tenant() is STABLE", Sql("ALTER FUNCTION relygate.current_tenant() IMMUTABLE")),
    Defence("value-for-workers", "11", "the value is in the settings that workers get",
            Source(CONTEXT, "    tenant_note = ", "    if (!IsParallelWorker())\n        tenant_note = ")),
    Defence("worker-refuses", "11", "a worker refuses a choice in lifetime transaction",
            Source(CONTEXT, "(IsParallelWorker() || note.transaction != this_transaction())",
                   "!IsParallelWorker() && note.transaction != this_transaction()")),
    Defence("rights-forgotten", "25", "what is known of rights is forgotten when they change",
            Source(CONTEXT, "    entitled_user = InvalidOid;\n    rights_changes++;", "    rights_changes++;")),
]
