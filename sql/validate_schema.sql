-- What is wrong with the protection of this database, one row a finding. Migrations verify with it and a DBA runs it after
-- changes of his own. The guard refuses the worst of these at once; here is also what it cannot see.

CREATE TYPE @extschema@.schema_finding AS (object text, finding text, advice text);
COMMENT ON TYPE @extschema@.schema_finding IS 'One finding of validate_schema().';

CREATE FUNCTION @extschema@.validate_schema() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- Ordinary tables of schema relygate: all are a tenant's. Members of the extension hold no tenant's data; partitions are
    -- looked at apart.
    tables CONSTANT oid[] := ARRAY(
        SELECT c.oid FROM pg_class c WHERE c.relnamespace = '@extschema@'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'));
    schemas CONSTANT oid[] := ARRAY(
        SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ('@extschema@', 'relygate_report', 'relygate_global'));
    protected CONSTANT oid[] := ARRAY(
        SELECT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = '@extschema@.refuse_truncate()'::regprocedure);
BEGIN
    -- Tables
    RETURN QUERY SELECT c.oid::regclass::text, 'the table is not protected',
                        format('SELECT relygate.protect_table(%L);', c.oid::regclass)
                   FROM pg_class c WHERE c.oid = ANY (tables) AND c.oid <> ALL (protected);
    RETURN QUERY SELECT c.oid::regclass::text, d.defects, 'Disable the event triggers relygate_guard_*, mend the table, enable them.'
                   FROM pg_class c CROSS JOIN LATERAL (SELECT @extschema@.protection_defects(c.oid)) AS d (defects)
                  WHERE c.oid = ANY (protected) AND d.defects IS NOT NULL;
    RETURN QUERY SELECT format('%s.%I', c.oid::regclass, p.polname), 'a policy of its own on a protected table',
                        'Drop it: only base and tenant are needed.'
                   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                  WHERE c.oid = ANY (protected) AND p.polname NOT IN ('base', 'tenant');
    RETURN QUERY SELECT i.inhrelid::regclass::text, 'a partition can be read past the policies of its table',
                        'Enable and force row-level security on it, give it no policy and revoke all rights on it.'
                   FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                  WHERE i.inhparent = ANY (protected)
                    AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity
                         -- The sealer's, who has no member: it sees the rows of all tenants.
                         OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT (
                                p.polname = 'sealing' AND p.polroles = ARRAY[(SELECT r.oid FROM pg_roles r WHERE r.rolname = 'relygate_audit')]))
                         OR EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner));
    RETURN QUERY SELECT c.oid::regclass::text, format('%s is granted to %s', a.privilege_type,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        format('REVOKE %s ON %s FROM %s;', a.privilege_type, c.oid::regclass,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
                   FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
                  WHERE c.oid = ANY (protected) AND a.grantee <> c.relowner
                    AND (a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') OR a.grantee = 0);

    -- Keys: without the tenant they tell what another tenant has. The table of tenants has no tenant but itself.
    RETURN QUERY SELECT i.indexrelid::regclass::text, 'a key does not begin with tenant_id',
                        'Make it (tenant_id, ...): else its violations tell of other tenants'' rows.'
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'tenant_id' AND NOT a.attisdropped
                  WHERE i.indrelid = ANY (tables) AND (i.indisunique OR i.indisexclusion) AND i.indkey[0] <> a.attnum;
    RETURN QUERY SELECT format('%s.%I', k.conrelid::regclass, k.conname), 'a foreign key does not carry tenant_id',
                        'Make it FOREIGN KEY (tenant_id, ...): else a row can name another tenant''s.'
                   FROM pg_constraint k
                  WHERE k.contype = 'f' AND k.conrelid = ANY (tables) AND k.confrelid = ANY (tables) AND k.conparentid = 0
                    AND NOT EXISTS (
                        SELECT FROM generate_subscripts(k.conkey, 1) AS n
                          JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = k.conkey[n] AND f.attname = 'tenant_id'
                          JOIN pg_attribute t ON t.attrelid = k.confrelid AND t.attnum = k.confkey[n]
                           AND t.attname = CASE WHEN k.confrelid = to_regclass('@extschema@.tenants') THEN 'id' ELSE 'tenant_id' END);
    RETURN QUERY SELECT DISTINCT format('%s.%I', a.attrelid::regclass, a.attname), format('an index over type %s', format_type(t.oid, NULL)),
                        'Its operators are not leakproof, so no index condition is made of them under row-level security.'
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                   JOIN pg_type d ON d.oid = a.atttypid
                   JOIN pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
                  WHERE i.indrelid = ANY (tables) AND (t.typtype = 'e' OR t.oid = 'numeric'::regtype);

    -- Code with other rights
    RETURN QUERY SELECT p.oid::regprocedure::text, 'a SECURITY DEFINER function whose owner no policy holds',
                        'Give it to relygate_platform or relygate_audit.'
                   FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
                  WHERE p.pronamespace = ANY (schemas) AND p.prosecdef AND (r.rolsuper OR r.rolbypassrls);
    RETURN QUERY SELECT p.oid::regprocedure::text, 'a SECURITY DEFINER function without a fixed search_path',
                        format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.pronamespace = ANY (schemas) AND p.prosecdef
                    AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);
    RETURN QUERY SELECT p.oid::regprocedure::text, 'everybody may call this function',
                        format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.pronamespace = ANY (schemas) AND has_function_privilege('public', p.oid, 'EXECUTE');
    RETURN QUERY SELECT c.oid::regclass::text, 'a view with the rights of its owner',
                        format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass)
                   FROM pg_class c
                  WHERE c.relnamespace = ANY (schemas) AND c.relkind = 'v'
                    AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
                                     WHERE o.option_name = 'security_invoker' AND o.option_value::boolean);
    RETURN QUERY SELECT c.oid::regclass::text, 'a materialized view', 'Make a table or a view of it: policies do not hold here.'
                   FROM pg_class c WHERE c.relnamespace = ANY (schemas) AND c.relkind = 'm';

    -- Logins
    RETURN QUERY SELECT format('role %s', b.setrole::regrole), format('bound to a tenant, but %s', b.obstacle),
                        format('Take that away, or SELECT relygate.unbind_role(%L);', b.setrole::regrole)
                   FROM (SELECT DISTINCT s.setrole, @extschema@.binding_obstacle(s.setrole) AS obstacle
                           FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                          WHERE s.setrole <> 0 AND c.setting LIKE 'app.tenant\_id=%'
                            AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))) b
                  WHERE b.obstacle IS NOT NULL;
    RETURN QUERY SELECT format('parameter %s', m.parname), format('SET is granted to %s',
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        'Only relygate_api and relygate_owner may choose a tenant.'
                   FROM pg_parameter_acl m CROSS JOIN LATERAL aclexplode(m.paracl) a
                   LEFT JOIN pg_roles r ON r.oid = a.grantee
                  WHERE (m.parname LIKE 'app.%' OR m.parname = 'relygate.context_lifetime') AND a.privilege_type = 'SET'
                    AND NOT coalesce(r.rolsuper OR r.rolname IN ('relygate_api', 'relygate_owner') AND m.parname LIKE 'app.%', false);

    -- The audit
    RETURN QUERY SELECT * FROM @extschema@.audit_defects();

    -- The guard
    RETURN QUERY SELECT format('event trigger %s', w.name), 'missing or disabled', 'Deploy the migration guard, or enable it.'
                   FROM unnest(ARRAY['relygate_guard_ddl', 'relygate_guard_drop']) AS w (name)
                  WHERE NOT EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtname = w.name AND e.evtenabled IN ('O', 'A'));
END $$;
COMMENT ON FUNCTION @extschema@.validate_schema() IS
'Lists what is wrong with the protection of this database: tables, keys, functions, views, logins, the guard. Empty is right. '
'Callers: a superuser.';
REVOKE ALL ON FUNCTION @extschema@.validate_schema() FROM PUBLIC;
