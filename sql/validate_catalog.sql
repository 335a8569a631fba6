-- The part of validate_schema() about PostgreSQL's own catalogue: rights that initdb did not give, and functions that are no longer
-- as the server brought them. What is built in stands in postgres.bki, beside the server's programs, where no SQL changes it.

CREATE FUNCTION @extschema@.validate_catalog() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    bki CONSTANT text := pg_read_file((SELECT c.setting FROM pg_config() c WHERE c.name = 'SHAREDIR') || '/postgres.bki', 0, 100000000, true);
BEGIN
    -- pg_statistic has values of all tenants' rows, pg_authid the passwords, pg_db_role_setting the bindings. PUBLIC's right to the last
    -- is initdb's; validate_schema() asks for it.
    RETURN QUERY SELECT g.object, format('%s is granted to %s', g.privilege, g.grantee), format('REVOKE %s ON %s FROM %s;', g.privilege, g.object, g.grantee)
                   FROM (SELECT c.oid, 0 AS part, c.oid::regclass::text AS object, a.grantee AS id, a.privilege_type AS privilege, a.privilege_type AS kind,
                                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
                           FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE c.relnamespace = 'pg_catalog'::regnamespace AND a.grantee <> c.relowner
                         UNION ALL
                         SELECT k.attrelid, k.attnum, k.attrelid::regclass::text, a.grantee, format('%s (%I)', a.privilege_type, k.attname), a.privilege_type,
                                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                           FROM pg_attribute k JOIN pg_class c ON c.oid = k.attrelid CROSS JOIN LATERAL aclexplode(k.attacl) a
                          WHERE c.relnamespace = 'pg_catalog'::regnamespace AND a.grantee <> c.relowner) AS g
                  WHERE NOT EXISTS (SELECT FROM pg_init_privs i CROSS JOIN LATERAL aclexplode(i.initprivs) a
                                     WHERE i.classoid = 'pg_class'::regclass AND i.objoid = g.oid AND i.objsubid = g.part AND a.grantee = g.id AND a.privilege_type = g.kind)
                    AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = g.id AND r.rolsuper);
    -- The server's files are everybody's rows.
    RETURN QUERY SELECT p.oid::regprocedure::text, format('EXECUTE is granted to %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        format('REVOKE EXECUTE ON FUNCTION %s FROM %s;', p.oid::regprocedure, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
                   FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
                  WHERE p.pronamespace = 'pg_catalog'::regnamespace AND a.grantee <> p.proowner AND NOT coalesce(r.rolsuper, false)
                    AND p.proname IN ('pg_read_file', 'pg_read_binary_file', 'lo_import', 'lo_export');

    -- A leakproof function in WHERE is asked before the policies, so it sees the rows of all tenants.
    RETURN QUERY SELECT p.oid::regprocedure::text, 'it is declared leakproof', format('ALTER FUNCTION %s NOT LEAKPROOF;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.proleakproof AND p.oid >= 16384
                    AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'relygate'
                                     WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e');
    RETURN QUERY
    -- A line a function: insert ( oid name namespace owner language cost rows variadic support kind secdef leakproof ...
    WITH shipped AS MATERIALIZED (
        SELECT split_part(w.line, ' ', 3)::oid AS oid, split_part(w.line, ' ', 13) = 't' AS is_definer, split_part(w.line, ' ', 14) = 't' AS is_leakproof
          FROM string_to_table(split_part(split_part(bki, E'\ncreate pg_proc ', 2), E'\nclose ', 1), E'\n') AS w (line) WHERE w.line LIKE 'insert ( %')
    SELECT p.oid::regprocedure::text, CASE WHEN p.prosecdef THEN 'built in, and made SECURITY DEFINER' ELSE 'built in, and made leakproof' END,
           format('ALTER FUNCTION %s %s;', p.oid::regprocedure, CASE WHEN p.prosecdef THEN 'SECURITY INVOKER' ELSE 'NOT LEAKPROOF' END)
      FROM pg_proc p JOIN shipped s ON s.oid = p.oid
     WHERE p.oid < 16384 AND (p.proleakproof AND NOT s.is_leakproof OR p.prosecdef AND NOT s.is_definer);
END $$;
COMMENT ON FUNCTION @extschema@.validate_catalog() IS
'The part of validate_schema() about PostgreSQL''s own catalogue: rights on it that initdb did not give, leakproof functions.';
REVOKE ALL ON FUNCTION @extschema@.validate_catalog() FROM PUBLIC;
