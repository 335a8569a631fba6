"""What roles were not given, and code with other rights than its caller's."""
from mutation.defence import Defence, Function, Source, Sql
from mutation.each import EACH_TABLE

# Not on the tables of the audit: its guard would refuse whatever is granted afterwards.
GRANT = EACH_TABLE.format("IF t::text NOT LIKE 'relygate.audit%' THEN EXECUTE format('GRANT {} ON %s TO relygate_api, relygate_reporting', t); END IF;")
OWNED = Sql("DO $$ BEGIN CREATE ROLE mutants_owner; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT USAGE ON SCHEMA relygate TO mutants_owner; ALTER TABLE relygate.visits OWNER TO mutants_owner; "
            "GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.visits TO relygate_owner; "
            "GRANT mutants_owner TO relygate_api, relygate_reporting",
            undo="REVOKE mutants_owner FROM relygate_api, relygate_reporting")

DEFENCES = [
    Defence("no-truncate-grant", "15", "nobody is granted TRUNCATE",
            Sql(GRANT.format("TRUNCATE"))),
    Defence("no-truncate-grant-and-trigger", "15", "nobody is granted TRUNCATE, and the trigger against it",
            Sql(GRANT.format("TRUNCATE")),
            Function("relygate.refuse_truncate()", "BEGIN\n", "BEGIN\n    RETURN NULL;\n")),
    Defence("no-references-grant", "15", "nobody is granted REFERENCES",
            Sql(GRANT.format("REFERENCES"))),
    Defence("no-trigger-grant", "15", "nobody is granted TRIGGER",
            Sql(GRANT.format("TRIGGER"))),
    Defence("no-create-in-schemas", "15", "nobody may create in the schemas",
            Sql("GRANT CREATE ON SCHEMA relygate, relygate_report, public TO PUBLIC")),
    Defence("no-temporary-tables", "15", "TEMP and CREATE on the database are revoked",
            Sql("DO $$ BEGIN EXECUTE format('GRANT TEMP, CREATE ON DATABASE %I TO PUBLIC', current_database()); END $$")),
    Defence("ownership", "2, 15", "roles of clients own no table", OWNED),
    Defence("ownership-and-guard", "2, 15", "roles of clients own no table, and the event trigger relygate_guard_ddl", OWNED,
            Source("extension/pg/tenancy/protect.cpp", "    if (is_move(fcinfo))", "    PG_RETURN_NULL();\n    if (is_move(fcinfo))")),
    Defence("replication-role", "15", "session_replication_role is not granted",
            Sql("GRANT SET ON PARAMETER session_replication_role TO relygate_api, relygate_reporting",
                undo="REVOKE SET ON PARAMETER session_replication_role FROM relygate_api, relygate_reporting")),
    Defence("routes-closed", "15", "nobody is granted a change of the routes",
            Sql("GRANT USAGE ON SCHEMA relygate_global TO PUBLIC; GRANT SELECT, UPDATE, DELETE ON relygate_global.routes TO PUBLIC")),
    Defence("bindings-hidden", "15", "pg_db_role_setting is not readable", Sql("GRANT SELECT ON pg_catalog.pg_db_role_setting TO PUBLIC")),
    Defence("no-advisory-locks", "15", "nobody may take advisory locks", Sql("GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_lock(bigint) TO PUBLIC")),
    Defence("no-large-objects", "15", "nobody may make large objects", Sql("GRANT EXECUTE ON FUNCTION pg_catalog.lo_creat(int) TO PUBLIC")),
    Defence("definer-search-path", "19, rls-008", "the search_path of definer functions",
            Sql("ALTER FUNCTION relygate.keyed_hash(text, text) RESET search_path; ALTER FUNCTION relygate.find_tenant(text) RESET search_path; "
                "ALTER FUNCTION relygate.sign_token(uuid, uuid, text) RESET search_path")),
    Defence("definer-names", "19, rls-008", "names in definer functions are qualified, and temporary tables come last",
            Function("relygate.find_tenant(text)", "FROM relygate.tenants t", "FROM tenants t"),
            Sql("ALTER FUNCTION relygate.find_tenant(text) SET search_path = pg_temp, relygate, pg_catalog")),
    Defence("definer-owner", "rls-008", "definer functions belong to a role without BYPASSRLS", Sql("ALTER FUNCTION relygate.find_tenant(text) OWNER TO postgres")),
    Defence("security-invoker", "20, rls-007", "views run with the reader's rights",
            Sql("ALTER VIEW relygate_report.visitors SET (security_invoker = false); ALTER VIEW relygate_report.visitors OWNER TO postgres")),
    Defence("revoked-from-public", "extension-010", "functions are revoked from PUBLIC", Sql("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA relygate TO PUBLIC")),
    Defence("default-privileges", "extension-010", "a new function is not PUBLIC's",
            Sql("ALTER DEFAULT PRIVILEGES FOR ROLE relygate_owner, relygate_platform, relygate_audit GRANT EXECUTE ON FUNCTIONS TO PUBLIC")),
    Defence("no-definer-in-extension", "rls-008", "no function of the extension has its owner's rights",
            Sql("ALTER FUNCTION relygate.current_session_id() SECURITY DEFINER SET search_path = pg_catalog, pg_temp")),
    Defence("binding-obstacles", "26", "bind_role looks at a role's attributes, memberships and rights",
            Function("relygate.bind_role(name, uuid)", "IF obstacle IS NOT NULL THEN", "IF false THEN")),
    Defence("sessions-end", "26", "a change of the binding ends open sessions",
            Function("relygate.bind_role(name, uuid)", "PERFORM relygate.end_role_sessions(id);", ""),
            Function("relygate.unbind_role(name)", "PERFORM relygate.end_role_sessions(id);", "")),
    Defence("no-server-roles", "2", "no membership in roles that read and write the server's files",
            Sql("GRANT pg_read_server_files, pg_write_server_files, pg_execute_server_program TO relygate_reporting; "
                "GRANT EXECUTE ON FUNCTION pg_read_file(text), pg_ls_dir(text), lo_import(text) TO relygate_reporting",
                undo="REVOKE pg_read_server_files, pg_write_server_files, pg_execute_server_program FROM relygate_reporting")),
    Defence("statements-of-others-hidden", "stays visible", "no membership in pg_read_all_stats",
            Sql("GRANT pg_read_all_stats TO relygate_reporting", undo="REVOKE pg_read_all_stats FROM relygate_reporting")),
    Defence("notifications-without-data", "5", "notifications carry no data",
            Function("relygate_global.notify_keys()", "'relygate_keys', ''", "'relygate_keys', (SELECT max(kid) FROM relygate_global.signing_keys)")),
]
