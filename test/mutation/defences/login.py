"""Who is let in, and what he may still do: logins, refresh tokens, keys, and the rights that backends keep."""
from mutation.defence import Defence, Function, Source, Sql

RIGHTS = "extension/pg/api/rights.cpp"

DEFENCES = [
    Defence("login-lock", "login", "five failures lock a name", Function("relygate.count_login_attempt(text, text)", "IF known.locked_until > at THEN", "IF false THEN")),
    Defence("refresh-once", "login", "a refresh token that is shown again ends the session",
            Function("relygate.refresh(text)", "ELSIF shown = ANY (known.used_refresh_hashes) THEN", "ELSIF false THEN")),
    Defence("refresh-digest", "login", "a refresh token is compared with its digest",
            Function("relygate.refresh(text)", "ELSIF shown <> known.refresh_hash THEN", "ELSIF false THEN")),
    Defence("signing-keys-closed", "login", "nobody is granted the keys",
            Sql("GRANT SELECT ON relygate_global.signing_keys TO relygate_api")),
    Defence("login-failures-closed", "login", "nobody is granted the counters of failures", Sql("GRANT SELECT ON relygate_global.login_failures TO relygate_api")),
    Defence("keyed-hash-of-tenant", "rls-008", "a keyed hash is of the current tenant", Function("relygate.keyed_hash(text, text)",
            "relygate.current_tenant()::text || E'\\n' || value", "value")),
    Defence("rights-told", "rights", "a change of rights is told to every backend", Source(RIGHTS, "    if (is_change) {", "    if (false && is_change) {")),
    Defence("session-of-request", "rights", "the session of a request ends with its transaction", Source("extension/pg/identity/session.cpp",
            "        has_session = false;", "        has_session = has_session && event != XACT_EVENT_PREPARE;")),
    Defence("session-not-revoked", "rights", "a revoked session is none",
            Source(RIGHTS, '    "                               AND s.revoked_at IS NULL"\n', "")),
    Defence("session-not-over", "rights", "a session ends by itself", Source(RIGHTS,
            "!has_session || entry.session_ends > GetCurrentStatementStartTimestamp()", "true || has_session")),
    Defence("user-active", "rights", "a closed account may nothing", Source(RIGHTS, "AND u.is_active AND ($2", "AND ($2")),
    Defence("tenant-suspended", "rights", "a suspended tenant writes nothing", Source(RIGHTS,
            'entry.is_suspended = std::string_view(column_text(1)) == "suspended";', "entry.is_suspended = false;")),
    Defence("rights-of-old-snapshots", "rights", "what an old snapshot sees of rights is not kept", Source(RIGHTS,
            "return !IsolationUsesXactSnapshot() && ", "return ")),
    Defence("operator-only", "rights", "platform.* exists in the operator's tenant alone", Source(RIGHTS,
            'if (permission.starts_with("platform.") && !entry.is_operator)', "if (false)")),
]
