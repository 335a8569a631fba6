-- The part of validate_schema() about owners and rights: what stands in the catalogue against what the product's migrations and
-- grant_functions() give. A DBA's own tables, functions and logins may have rights of his choice, as far as the policies hold them.

CREATE FUNCTION @extschema@.product_functions() RETURNS TABLE (function regprocedure, is_reading boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- What only a DBA or a migration's definer function calls; a function that a route names is the API's all the same.
    administrative CONSTANT text[] := ARRAY[
        'protect_table', 'protection_defects', 'validate_schema', 'tenant_tables', 'scratch_id', 'scratch_value',
        'scratch_row', 'isolation_attacks', 'guard_attacks', 'prove_isolation', 'bind_role', 'unbind_role',
        'stored_code', 'untried_relations', 'validate_code', 'validate_roles', 'validate_catalog', 'validate_grants',
        'excess_rights', 'product_functions', 'binding_obstacle', 'end_role_sessions', 'grant_functions',
        'create_tenant', 'jws_sign', 'verify_audit', 'verify_audit_chain', 'verify_audit_rows', 'audit_archive',
        'audit_erased', 'audit_defects', 'rearm_audit', 'new_signing_key', 'hmac_sha256', 'has_key_file',
        'key_file_problem', 'seal_secret', 'open_secret', 'sealed_under', 'key_findings'];
BEGIN
    RETURN QUERY
    -- PL/pgSQL refuses to write in a function that is not VOLATILE, so this is what only reads.
    SELECT p.oid::regprocedure, p.provolatile <> 'v'
      FROM pg_proc p
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'relygate'
     WHERE p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
       AND (p.proname <> ALL (administrative)
            OR EXISTS (SELECT FROM @extschema@.product_routes r WHERE r.function = p.proname));
END $$;
COMMENT ON FUNCTION @extschema@.product_functions() IS
'The functions of the extension that the API calls, and whether they only read: those reporting logins may call, too. Callers: '
'grant_functions, excess_rights, validate_grants.';
REVOKE ALL ON FUNCTION @extschema@.product_functions() FROM PUBLIC;

CREATE FUNCTION @extschema@.excess_rights(roles oid[]) RETURNS TABLE (grantee oid, privilege text, kind text, object text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    schemas CONSTANT oid[] := ARRAY(SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ('@extschema@', 'relygate_report', 'relygate_global'));
    relations CONSTANT oid[] := ARRAY(
        SELECT c.oid FROM pg_class c WHERE c.relnamespace = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION SELECT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = '@extschema@.refuse_truncate()'::regprocedure);
    -- Never in a record of the audit either: extension/core/audit/row_diff.cpp.
    secrets CONSTANT name[] := ARRAY['document_hash', 'otp_hash', 'password_hash', 'private_jwk', 'refresh_hash', 'used_refresh_hashes', 'secret', 'security_code', 'sealed'];
BEGIN
    RETURN QUERY
    SELECT a.grantee, a.privilege_type, '', c.oid::regclass::text
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
     WHERE c.oid = ANY (relations) AND a.grantee = ANY (roles)
       AND (a.privilege_type <> 'SELECT' OR c.relnamespace = to_regnamespace('relygate_global')
            OR EXISTS (SELECT FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attname = ANY (secrets)));
    RETURN QUERY
    SELECT a.grantee, format('%s (%I)', a.privilege_type, k.attname), '', k.attrelid::regclass::text
      FROM pg_attribute k JOIN pg_class c ON c.oid = k.attrelid CROSS JOIN LATERAL aclexplode(k.attacl) a
     WHERE k.attrelid = ANY (relations) AND a.grantee = ANY (roles)
       AND (a.privilege_type <> 'SELECT' OR c.relnamespace = to_regnamespace('relygate_global') OR k.attname = ANY (secrets));
    RETURN QUERY
    SELECT a.grantee, a.privilege_type, 'FUNCTION ', p.oid::regprocedure::text
      FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
     WHERE p.pronamespace = ANY (schemas) AND a.grantee = ANY (roles) AND a.grantee <> p.proowner
       AND (p.prosecdef OR EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'relygate'
                                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'))
       AND p.oid NOT IN (SELECT f.function::oid FROM @extschema@.product_functions() f WHERE f.is_reading);
END $$;
COMMENT ON FUNCTION @extschema@.excess_rights(oid[]) IS
'What was granted to roles that only read for one tenant, beyond reading: writes, secrets, functions that write or have more rights than '
'their caller. Callers: validate_grants, binding_obstacle.';
REVOKE ALL ON FUNCTION @extschema@.excess_rights(oid[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.validate_grants() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    schemas CONSTANT oid[] := ARRAY(SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ('@extschema@', 'relygate_report', 'relygate_global'));
    superusers CONSTANT oid[] := ARRAY(SELECT r.oid FROM pg_roles r WHERE r.rolsuper);
    reporting CONSTANT oid := to_regrole('relygate_reporting');
    clients CONSTANT oid[] := ARRAY[to_regrole('relygate_api'), to_regrole('relygate_shim'), to_regrole('relygate_platform'), to_regrole('relygate_backup')];
BEGIN
    -- Owners. Whoever owns a schema drops and renames what is in it; a function of his may be found in place of the product's.
    RETURN QUERY SELECT format('schema %I', n.nspname), format('it belongs to %s', n.nspowner::regrole), format('ALTER SCHEMA %I OWNER TO %I;', n.nspname, current_user)
                   FROM pg_namespace n WHERE n.oid = ANY (schemas) AND n.nspowner <> ALL (superusers);
    RETURN QUERY SELECT o.object, format('it belongs to %s', o.owner::regrole), format('ALTER %s %s OWNER TO %I, or drop it.', o.kind, o.object, coalesce(o.wanted, 'relygate_owner'))
                   FROM (SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind,
                                c.oid::regclass::text AS object, c.relowner AS owner, w.owner AS wanted
                           FROM pg_class c LEFT JOIN (VALUES ('signing_keys', 'relygate_platform'), ('login_failures', 'relygate_platform'), ('routes', 'relygate_owner'), ('rights_changes', 'relygate_owner')) AS w (name, owner)
                                ON c.relnamespace = to_regnamespace('relygate_global') AND c.relname = w.name
                          WHERE c.relnamespace = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                            AND c.relname NOT LIKE 'audit\_%'     -- audit_defects() asks for those
                         UNION ALL SELECT 'FUNCTION', p.oid::regprocedure::text, p.proowner, CASE WHEN p.prosecdef THEN 'relygate_platform' ELSE current_user::text END
                           FROM pg_proc p WHERE p.pronamespace = ANY (schemas)
                         UNION ALL SELECT 'TYPE', t.oid::regtype::text, t.typowner, 'relygate_owner' FROM pg_type t
                          WHERE t.typnamespace = ANY (schemas) AND t.typelem = 0
                            AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))) AS o
                  WHERE o.owner <> ALL (superusers)
                    AND o.owner::regrole::text <> ALL (CASE WHEN o.wanted IS NOT NULL AND o.kind = 'TABLE' THEN ARRAY[o.wanted]
                                                            ELSE ARRAY['relygate_owner', 'relygate_audit', 'relygate_platform'] END);

    -- Tables without a tenant: no policy stands before them, and one of them holds the keys.
    RETURN QUERY SELECT g.object, format('%s is granted to %s', g.privilege, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END),
                        format('REVOKE %s ON %s FROM %s;', g.privilege, g.object, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
                   FROM (SELECT c.oid, c.relname, c.oid::regclass::text AS object, c.relowner AS owner, a.grantee, a.privilege_type AS privilege, NULL::name AS attname
                           FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE c.relnamespace = to_regnamespace('relygate_global')
                         UNION ALL
                         SELECT c.oid, c.relname, c.oid::regclass::text, c.relowner, a.grantee, format('%s (%I)', a.privilege_type, k.attname), k.attname
                           FROM pg_class c JOIN pg_attribute k ON k.attrelid = c.oid CROSS JOIN LATERAL aclexplode(k.attacl) a
                          WHERE c.relnamespace = to_regnamespace('relygate_global')) AS g
                  WHERE g.grantee <> g.owner AND g.grantee <> ALL (superusers) AND g.relname NOT LIKE 'audit\_%'
                    AND NOT coalesce(g.grantee = to_regrole('relygate_api') AND g.relname = 'routes' AND g.privilege LIKE 'SELECT%', false)
                    AND NOT coalesce(g.grantee IN (to_regrole('relygate_api'), to_regrole('relygate_owner')) AND g.relname = 'signing_keys' AND g.privilege LIKE 'SELECT%'
                                     AND g.attname IN ('kid', 'purpose', 'algorithm', 'public_jwk', 'created_at', 'signs_from', 'published_until'), false);

    -- The product's roles. What relygate_reporting must not have, a bound login must not have either: binding_obstacle() asks the same.
    RETURN QUERY SELECT e.object, format('%s is granted to %s', e.privilege, e.grantee::regrole), format('REVOKE %s ON %s%s FROM %s;', e.privilege, e.kind, e.object, e.grantee::regrole)
                   FROM @extschema@.excess_rights(ARRAY[reporting]) e
                  WHERE e.privilege NOT IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') AND e.privilege NOT LIKE 'REFERENCES (%' AND e.object NOT LIKE 'relygate\_global.%';
    RETURN QUERY SELECT c.oid::regclass::text, format('%s is granted to %s', a.privilege, a.grantee::regrole),
                        format('REVOKE %s ON %s FROM %s;', a.privilege, c.oid::regclass, a.grantee::regrole)
                   FROM pg_class c CROSS JOIN LATERAL (
                        SELECT x.grantee, x.privilege_type, x.privilege_type AS privilege FROM aclexplode(c.relacl) x
                        UNION ALL SELECT x.grantee, x.privilege_type, format('%s (%I)', x.privilege_type, k.attname)
                          FROM pg_attribute k CROSS JOIN LATERAL aclexplode(k.attacl) x WHERE k.attrelid = c.oid) AS a
                  WHERE c.relnamespace = ANY (schemas) AND c.relnamespace <> coalesce(to_regnamespace('relygate_global'), 0::oid) AND c.relname NOT LIKE 'audit\_%'
                    AND a.grantee = ANY (clients) AND a.grantee <> c.relowner AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') AND NOT coalesce(
                        a.grantee = to_regrole('relygate_platform') AND c.relname = 'tenants' AND a.privilege_type IN ('SELECT', 'INSERT')
                        OR a.grantee = to_regrole('relygate_api') AND NOT c.relispartition AND (a.privilege_type = 'SELECT'
                           OR c.relkind IN ('r', 'p') AND c.relname NOT IN ('tenants', 'product_routes')
                              AND (c.relname <> 'users' OR a.privilege_type <> 'DELETE')), false);
    -- Definer functions of these two, and what only a DBA calls.
    RETURN QUERY SELECT p.oid::regprocedure::text, format('EXECUTE is granted to %s', a.grantee::regrole), format('REVOKE EXECUTE ON FUNCTION %s FROM %s;', p.oid::regprocedure, a.grantee::regrole)
                   FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
                  WHERE p.pronamespace = ANY (schemas) AND a.grantee IN (to_regrole('relygate_api'), to_regrole('relygate_shim'))
                    AND (p.prosecdef AND p.proowner IN (to_regrole('relygate_audit'), to_regrole('relygate_platform'))
                         AND p.proname NOT IN ('find_tenant', 'list_tenants', 'sign_token', 'keyed_hash', 'count_login_attempt', 'clear_login_attempts')
                         OR EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'relygate'
                                     WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
                            AND p.oid NOT IN (SELECT f.function::oid FROM @extschema@.product_functions() f));

    -- What comes later
    RETURN QUERY SELECT format('role %s', d.defaclrole::regrole), format('everybody gets %s on the %s that it makes', a.privilege_type, CASE d.defaclobjtype WHEN 'f' THEN 'functions' ELSE 'tables' END),
                        format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s REVOKE %s ON %s FROM PUBLIC;', d.defaclrole::regrole, ' IN SCHEMA ' || nullif(d.defaclnamespace, 0)::regnamespace,
                               a.privilege_type, CASE d.defaclobjtype WHEN 'f' THEN 'FUNCTIONS' WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END)
                   FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a
                  WHERE a.grantee = 0 AND d.defaclrole::regrole::text NOT IN ('relygate_owner', 'relygate_platform', 'relygate_audit')
                    AND (d.defaclnamespace = ANY (schemas) OR d.defaclnamespace = 0 AND d.defaclobjtype IN ('r', 'S'));
END $$;
COMMENT ON FUNCTION @extschema@.validate_grants() IS
'The part of validate_schema() about owners and rights: of the schemas, of tables without a tenant, of the product''s roles, and defaults.';
REVOKE ALL ON FUNCTION @extschema@.validate_grants() FROM PUBLIC;
