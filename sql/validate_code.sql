-- The part of validate_schema() that looks at code: the extension's functions as they were installed, and whatever runs with more
-- rights than its caller's, wherever it stands.

CREATE FUNCTION @extschema@.validate_code(protected oid[], readers oid[]) RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    schemas CONSTANT oid[] := ARRAY(
        SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ('@extschema@', 'relygate_report', 'relygate_global'));
    extension CONSTANT pg_extension := (SELECT e FROM pg_extension e WHERE e.extname = 'relygate');
    -- The script lies beside the server's programs, where no SQL changes it.
    script_file CONSTANT text := format('relygate--%s.sql', extension.extversion);
    script CONSTANT text := replace(pg_read_file((SELECT c.setting FROM pg_config() c WHERE c.name = 'SHAREDIR') || '/extension/' || script_file,
                                                 0, 100000000, true), '@' || 'extschema@', '@extschema@');
    -- Functions not ours that name what is ours, or name such a function.
    namers CONSTANT oid[] := ARRAY(
        WITH RECURSIVE others AS MATERIALIZED (
            SELECT p.oid, p.proname, p.prosrc FROM pg_proc p WHERE p.pronamespace <> ALL (schemas) AND p.oid >= 16384 AND p.prosqlbody IS NULL AND p.proname ~ '^\w+$'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')),
        reached (oid, proname) AS (
            SELECT o.oid, o.proname FROM others o WHERE o.prosrc ~* '\mrelygate'
            UNION SELECT o.oid, o.proname FROM reached r JOIN others o ON o.prosrc ~* ('\m' || r.proname || '\M'))
        SELECT r.oid FROM reached r);
    relation_names CONSTANT text := (SELECT string_agg(c.relname, '|') FROM pg_class c
                                      WHERE c.oid = ANY (readers) AND c.relnamespace <> ALL (schemas) AND c.relname ~ '^\w+$');
    table_names CONSTANT text := (SELECT string_agg(c.relname, '|') FROM pg_class c WHERE c.oid = ANY (protected) AND c.relname ~ '^\w+$');
BEGIN
    -- As the script has it, word by word: body, link symbol, language, volatility; and it never gives its owner's rights away.
    RETURN QUERY
    WITH wanted AS MATERIALIZED (
        SELECT split_part(w.text, '(', 1) AS name, w.text, split_part(split_part(w.text, '$' || '$', 1), E'\nCOMMENT ', 1) AS head
          FROM string_to_table(script, E'\nCREATE FUNCTION @extschema@.') WITH ORDINALITY AS w (text, place) WHERE w.place > 1),
    members AS MATERIALIZED (
        SELECT p.* FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
         WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension.oid AND d.deptype = 'e')
    SELECT m.oid::regprocedure::text, 'it was replaced or changed', format('DROP EXTENSION cannot mend it: replace it by its definition in %s.', script_file)
      FROM members m JOIN pg_language l ON l.oid = m.prolang
     WHERE script IS NOT NULL AND (m.prosecdef OR m.proowner <> extension.extowner OR NOT EXISTS (
            SELECT FROM wanted w
             WHERE w.name = m.proname AND strpos(w.text, CASE l.lanname WHEN 'c' THEN quote_literal(m.prosrc) ELSE '$' || '$' || m.prosrc || '$' || '$' END) > 0
               AND (l.lanname <> 'c' OR m.probin = '$libdir/relygate')
               AND m.prosqlbody IS NULL AND w.head ~* format('\mLANGUAGE %s\M', l.lanname)
               AND coalesce(substring(w.head FROM '\m(IMMUTABLE|STABLE)\M'), 'VOLATILE') = CASE m.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END
               AND coalesce(substring(w.head FROM '\mPARALLEL (SAFE|RESTRICTED)\M'), 'UNSAFE') = CASE m.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END
               AND (strpos(w.head, 'LEAKPROOF') > 0) = m.proleakproof AND (w.head ~ '\mSTRICT\M') = m.proisstrict
               AND (strpos(w.head, 'SET search_path = pg_catalog, pg_temp') > 0) = coalesce('search_path=pg_catalog, pg_temp' = ANY (m.proconfig), false)
               AND ARRAY(SELECT lower(split_part(c.setting, '=', 1)) FROM unnest(m.proconfig) AS c (setting) ORDER BY 1)
                 = ARRAY(SELECT lower(f[1]) FROM regexp_matches(w.head, '\mSET (\w+) = ', 'g') AS f ORDER BY 1)))
    UNION ALL
    SELECT DISTINCT format('function @extschema@.%s', w.name), 'it is no longer the extension''s', 'Make it by its definition in the extension''s script; then ALTER EXTENSION relygate ADD FUNCTION.'
      FROM wanted w WHERE NOT EXISTS (SELECT FROM members m WHERE m.proname = w.name);
    RETURN QUERY SELECT c.oid::regclass::text, 'it was made a member of the extension, so no dump has it and nobody looks at its policies',
                        format('ALTER EXTENSION relygate DROP TABLE %s;', c.oid::regclass)
                   FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
                  WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension.oid AND d.deptype = 'e' AND c.relkind <> 'c' AND c.oid <> ALL (protected)
                    AND script !~ format('CREATE TABLE @extschema@\.%s\M', c.relname);
    RETURN QUERY SELECT 'extension relygate', format('%s is not among the server''s files, so its functions could not be looked at', script_file),
                        'Install the files of this version again (make install), or run: scripts/deploy URL.'
                  WHERE script IS NULL;

    -- Whoever bypasses the policies, or becomes somebody who does: the product's own such functions belong to these two and stand in its schemas.
    RETURN QUERY SELECT p.oid::regprocedure::text, 'a SECURITY DEFINER function whose owner no policy holds',
                        CASE WHEN p.pronamespace = ANY (schemas) THEN 'Give it to relygate_platform or relygate_audit.'
                             ELSE format('ALTER FUNCTION %s SECURITY INVOKER; or give it to a role that the policies hold.', p.oid::regprocedure) END
                   FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
                  WHERE p.prosecdef
                    AND (p.pronamespace = ANY (schemas)
                         OR p.prosrc ~* '\mrelygate' OR p.oid = ANY (namers) OR EXISTS (SELECT FROM unnest(p.proconfig) AS c (setting) WHERE c.setting ~* '^search_path=.*\mrelygate')
                         -- Without a path of its own its names are the caller's to choose; in a schema not ours they mean what reads our tables.
                         OR p.prosrc ~* ('\m(' || relation_names || ')\M')
                         OR NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c (setting) WHERE c.setting LIKE 'search_path=%')
                            AND p.prosrc ~* ('\m(' || table_names || ')\M')
                         -- A body of SQL's standard is kept parsed, and depends on what it names.
                         OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                       AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (protected || readers)
                                            OR d.refclassid = 'pg_proc'::regclass AND EXISTS (
                                                SELECT FROM pg_proc f WHERE f.oid = d.refobjid AND (f.pronamespace = ANY (schemas) OR f.oid = ANY (namers))))))
                    AND EXISTS (SELECT FROM pg_roles g
                                 WHERE pg_has_role(r.oid, g.oid, 'MEMBER')
                                   AND (g.rolsuper OR g.rolbypassrls
                                        OR g.rolname IN ('relygate_audit', 'relygate_platform')
                                           AND NOT (p.pronamespace = ANY (schemas) AND r.rolname IN ('relygate_audit', 'relygate_platform'))));
    RETURN QUERY SELECT p.oid::regprocedure::text, 'a SECURITY DEFINER function without a fixed search_path',
                        format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.pronamespace = ANY (schemas) AND p.prosecdef
                    AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);
    RETURN QUERY SELECT p.oid::regprocedure::text, 'everybody may call this function',
                        format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.pronamespace = ANY (schemas) AND has_function_privilege('public', p.oid, 'EXECUTE');

    -- What tables run by themselves, also those without a tenant: a superuser writes, restores and examines them all.
    RETURN QUERY SELECT c.relation::regclass::text, format('%s calls %s, %s', c.place, c.function, c.reason),
                        'Drop that, or give the function to a superuser: whoever writes this table, or restores it, runs it with his own rights.'
                   FROM @extschema@.stored_code(protected || ARRAY(
                            SELECT c.oid FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v') AND (c.relnamespace = ANY (schemas) OR c.oid = ANY (readers))
                               AND c.oid <> ALL (protected))) c WHERE c.function IS NOT NULL;
    RETURN QUERY SELECT format('event trigger %I', e.evtname), format('it calls %s, which is %s''s to change', e.evtfoid::regprocedure, r.rolname),
                        'Drop it, or give the function to a superuser: it runs with the rights of whoever changes the schema.'
                   FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_roles r ON r.oid = p.proowner WHERE NOT r.rolsuper;
END $$;
COMMENT ON FUNCTION @extschema@.validate_code(oid[], oid[]) IS
'The part of validate_schema() about functions: protected are the tables of tenants, readers the views and partitions over them.';
REVOKE ALL ON FUNCTION @extschema@.validate_code(oid[], oid[]) FROM PUBLIC;
