"""The guard: event triggers that refuse what would leave a tenant table unprotected, and the trigger against TRUNCATE."""
from mutation.defence import Defence, Function, Source, Sql

PROTECT = "extension/pg/tenancy/protect.cpp"

DEFENCES = [
    Defence("truncate-trigger", "15", "the trigger against TRUNCATE", Function("relygate.refuse_truncate()", "BEGIN\n", "BEGIN\n    RETURN NULL;\n")),
    Defence("guard-of-changes", "21", "the event trigger relygate_guard_ddl",
            Source(PROTECT, "    if (is_move(fcinfo))", "    PG_RETURN_NULL();\n    if (is_move(fcinfo))")),
    Defence("guard-of-drops", "21", "the event trigger relygate_guard_drop",
            Source(PROTECT, "    guard(kTouchedByDrop,", "    PG_RETURN_NULL();\n    guard(kTouchedByDrop,")),
    Defence("guard-of-changes-and-drops", "21", "both of the event triggers",
            Source(PROTECT, "    if (is_move(fcinfo))", "    PG_RETURN_NULL();\n    if (is_move(fcinfo))"),
            Source(PROTECT, "    guard(kTouchedByDrop,", "    PG_RETURN_NULL();\n    guard(kTouchedByDrop,")),
    Defence("guard-of-open-keys", "21", "new keys without the tenant are refused", Source(PROTECT, "{kForgedTrigger, kOpenKeys}", "{kForgedTrigger}")),
    Defence("guard-of-lost-keys", "21", "the last key with the tenant stays", Source(PROTECT, "{kLostMark, kNoKeyLeft}", "{kLostMark}")),
    Defence("guard-of-moves", "21", "a table stays in its schema", Source(PROTECT, "{kForgedTrigger, kMoved}", "{kForgedTrigger}")),
    Defence("guard-of-rules", "21", "rules are refused",
            Source(PROTECT, "FROM pg_rewrite w WHERE w.ev_class = r.oid", "FROM pg_rewrite w WHERE w.ev_class = r.oid AND false")),
    Defence("guard-of-children", "21", "a child that is read past the policies is refused",
            Source(PROTECT, "WHERE i.inhparent = r.oid AND NOT (p.relrowsecurity", "WHERE false AND i.inhparent = r.oid AND NOT (p.relrowsecurity")),
    Defence("no-create-for-owner", "21", "relygate_owner may not create in the schema", Sql("GRANT CREATE ON SCHEMA relygate TO relygate_owner")),
    Defence("ownership-of-functions", "21", "what triggers and policies call belongs to the superuser who installed it",
            Sql("GRANT CREATE ON SCHEMA relygate TO relygate_owner, relygate_platform; ALTER FUNCTION relygate.audit_row() OWNER TO relygate_owner; "
                "ALTER FUNCTION relygate.current_tenant() OWNER TO relygate_owner; GRANT relygate_platform TO relygate_owner",
                undo="REVOKE relygate_platform FROM relygate_owner")),
    Defence("validate-schema", "26", "validate_schema() looks at all", Function("relygate.validate_schema()", "BEGIN\n    -- Tables", "BEGIN\n    RETURN;")),
]
