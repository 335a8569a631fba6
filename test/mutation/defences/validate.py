"""What validate_schema() finds in rights, settings, stored code and PostgreSQL's own catalogue, a part of it each."""
from mutation.defence import Defence, Function

SCHEMA, CODE, ROLES = "relygate.validate_schema()", "relygate.validate_code(oid[], oid[])", "relygate.validate_roles()"

DEFENCES = [
    Defence("stored-code", "26", "validate_schema() looks at what tables and views run by themselves",
            Function(CODE, "    -- What tables run by themselves", "    RETURN;\n    -- What tables run by themselves")),
    Defence("routes-read-as-deployed", "26", "a table of routes that runs code when it is read is not read",
            Function(SCHEMA, " AND altered = '{}' THEN", " THEN")),
    Defence("validate-grants", "26", "owners and rights are compared with what the product gives",
            Function(SCHEMA, "RETURN QUERY SELECT * FROM relygate.validate_grants();", "")),
    Defence("validate-catalog", "26", "PostgreSQL's catalogue is compared with what initdb gives",
            Function(SCHEMA, "RETURN QUERY SELECT * FROM relygate.validate_catalog();", "")),
    Defence("validate-create", "26", "nobody creates in the product's schemas", Function(ROLES, "CASE WHEN o.is_ours THEN r.oid = a.grantee", "CASE WHEN o.is_ours THEN false")),
    Defence("validate-powers", "26", "roles that become a superuser, or read past the policies, are named",
            Function(ROLES, "AND g.rolname IN ('pg_execute_server_program',", "AND false AND g.rolname IN ('pg_execute_server_program',"),
            Function(ROLES, "WHERE r.rolreplication AND NOT r.rolsuper", "WHERE false AND NOT r.rolsuper")),
    Defence("validate-settings", "26", "settings that switch defences off are named",
            Function(ROLES, "WHERE w.setting ~ '^session_replication_role=(?!origin$)' OR", "WHERE false OR"),
            Function(ROLES, "OR w.setting ~ '^session_preload_libraries='", "OR false"), Function(ROLES, "(p.name, p.reset_val) NOT IN", "false AND (p.name, p.reset_val) NOT IN")),
    Defence("validate-readers", "26", "views over tables without a tenant are named", Function(SCHEMA, "SELECT p.oid FROM unnest(bases) AS p (oid)", "SELECT p.oid FROM unnest(protected) AS p (oid)")),
    Defence("validate-rules", "26", "rules are named, wherever they stand", Function(SCHEMA, "WHERE w.rulename <> '_RETURN'", "WHERE false AND w.rulename <> '_RETURN'")),
    Defence("validate-members", "26", "a table made a member of the extension is named", Function(CODE, "AND script !~ format('CREATE TABLE", "AND false AND script !~ format('CREATE TABLE")),
    Defence("validate-definers", "26", "definer functions are known by names in any case, and through other functions",
            Function(CODE, "SELECT r.oid FROM reached r);", "SELECT r.oid FROM reached r WHERE false);"), Function(CODE, "OR p.prosrc ~* '\\mrelygate'", "OR p.prosrc ~ '\\mrelygate'"),
            Function(CODE, "AND p.prosrc ~* ('\\m(' || table_names", "AND p.prosrc ~ ('\\m(' || table_names")),
    Defence("binding-attributes", "26", "a bound login makes no databases", Function("relygate.binding_obstacle(oid)", " OR r.rolcreatedb)", ")")),
    Defence("binding-excess", "26", "writes, secrets and functions that act are no rights of a bound login",
            Function("relygate.binding_obstacle(oid)", "AND r.rolname <> 'relygate_reporting')) e", "AND false)) e")),
]
