-- What is wrong with the protection of this database, one row a finding. Migrations verify with it and a DBA runs it after
-- changes of his own. The guard refuses the worst of these at once; here is also what it cannot see.

CREATE TYPE @extschema@.schema_finding AS (object text, finding text, advice text);
COMMENT ON TYPE @extschema@.schema_finding IS 'One finding of validate_schema().';

CREATE FUNCTION @extschema@.validate_schema() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
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
    -- Those without a tenant have no policies; the keys are among them.
    bases CONSTANT oid[] := protected || ARRAY(
        SELECT c.oid FROM pg_class c WHERE c.relnamespace = to_regnamespace('relygate_global') AND c.relkind IN ('r', 'p') AND c.oid <> ALL (protected));
    -- What reads a table of a tenant or one of these, wherever it stands and over however many views; partitions among them.
    readers CONSTANT oid[] := ARRAY(
        WITH RECURSIVE reached (oid) AS (
            SELECT p.oid FROM unnest(bases) AS p (oid)
            UNION
            SELECT n.oid FROM reached r CROSS JOIN LATERAL (
                   SELECT w.ev_class FROM pg_depend d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
                    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
                   UNION ALL SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = r.oid) AS n (oid))
        SELECT r.oid FROM reached r WHERE r.oid <> ALL (bases));
    altered CONSTANT oid[] := ARRAY(
        SELECT c.oid FROM pg_class c WHERE c.oid IN (to_regclass('relygate_global.routes'), to_regclass('@extschema@.role_permissions'))
           AND (c.relkind <> 'r' OR EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_roles r ON r.oid = t.typowner
                                             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT r.rolsuper)));
    here CONSTANT oid := (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
BEGIN
    -- Tables
    RETURN QUERY SELECT c.oid::regclass::text, 'the table is not protected',
                        format('SELECT relygate.protect_table(%L);', c.oid::regclass)
                   FROM pg_class c WHERE c.oid = ANY (tables) AND c.oid <> ALL (protected);
    RETURN QUERY SELECT c.oid::regclass::text, d.defects, 'Disable the event triggers relygate_guard_*, mend the table, enable them.'
                   FROM unnest(protected) AS c (oid)
                  CROSS JOIN LATERAL (SELECT @extschema@.protection_defects(c.oid) OFFSET 0) AS d (defects)     -- once for each
                  WHERE d.defects IS NOT NULL;
    RETURN QUERY SELECT format('%s.%I', c.oid::regclass, p.polname), 'a policy of its own on a protected table',
                        'Drop it: only base and tenant are needed.'
                   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                  WHERE c.oid = ANY (protected) AND p.polname NOT IN ('base', 'tenant');
    RETURN QUERY SELECT i.inhrelid::regclass::text, 'a partition can be read past the policies of its table',
                        'Give it no policy and revoke all rights on it.'
                   FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                  WHERE i.inhparent = ANY (protected)
                    -- The sealer's, who has no member: it sees the rows of all tenants.
                    AND (EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT (
                                p.polname = 'sealing' AND p.polroles = ARRAY[(SELECT r.oid FROM pg_roles r WHERE r.rolname = 'relygate_audit')]))
                         OR EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner)
                         OR EXISTS (SELECT FROM pg_attribute a, aclexplode(a.attacl) g WHERE a.attrelid = c.oid AND g.grantee <> c.relowner));
    RETURN QUERY SELECT c.oid::regclass::text, format('%s is granted to %s', a.privilege_type,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        format('REVOKE %s ON %s FROM %s;', a.privilege_type, c.oid::regclass,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
                   FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
                  WHERE c.oid = ANY (protected) AND a.grantee <> c.relowner
                    AND (a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') OR a.grantee = 0);
    -- A foreign key of one's own tells which ids there are, of all tenants.
    RETURN QUERY SELECT format('%s.%I', c.oid::regclass, k.attname), format('%s is granted to %s', a.privilege_type,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        format('REVOKE %s (%I) ON %s FROM %s;', a.privilege_type, k.attname, c.oid::regclass,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
                   FROM pg_class c JOIN pg_attribute k ON k.attrelid = c.oid CROSS JOIN LATERAL aclexplode(k.attacl) a
                  WHERE c.oid = ANY (protected) AND a.grantee <> c.relowner AND (a.privilege_type = 'REFERENCES' OR a.grantee = 0);

    -- Keys: without the tenant they tell what another tenant has. The table of tenants has no tenant but itself.
    RETURN QUERY SELECT i.indexrelid::regclass::text, 'a key does not begin with tenant_id',
                        'Make it (tenant_id, ...): else its violations tell of other tenants'' rows.'
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'tenant_id' AND NOT a.attisdropped
                  WHERE i.indrelid = ANY (tables) AND (i.indisunique OR i.indisexclusion) AND i.indkey[0] <> a.attnum;
    RETURN QUERY SELECT format('%s.%I', k.conrelid::regclass, k.conname), 'a foreign key does not carry tenant_id',
                        'Make it FOREIGN KEY (tenant_id, ...): else a row can name another tenant''s.'
                   FROM pg_constraint k
                  WHERE k.contype = 'f' AND k.conrelid = ANY (tables || protected) AND k.confrelid = ANY (tables || protected) AND k.conparentid = 0
                    AND NOT EXISTS (
                        SELECT FROM generate_subscripts(k.conkey, 1) AS n
                          JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = k.conkey[n] AND f.attname = 'tenant_id'
                          JOIN pg_attribute t ON t.attrelid = k.confrelid AND t.attnum = k.confkey[n]
                           AND t.attname = CASE WHEN k.confrelid = to_regclass('@extschema@.tenants') THEN 'id' ELSE 'tenant_id' END);
    RETURN QUERY SELECT format('%s.%I', k.conrelid::regclass, k.conname), 'a table without a tenant refers to a table of tenants',
                        'Drop the foreign key: it tells which rows there are.'
                   FROM pg_constraint k
                  WHERE k.contype = 'f' AND k.confrelid = ANY (protected) AND k.conrelid <> ALL (tables || protected) AND k.conparentid = 0;
    RETURN QUERY SELECT i.indexrelid::regclass::text, 'an index does not begin with tenant_id',
                        'Make it (tenant_id, ...): else EXPLAIN ANALYZE counts other tenants'' rows that were passed over.'
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'tenant_id' AND NOT a.attisdropped
                  WHERE i.indrelid = ANY (tables) AND NOT i.indisunique AND NOT i.indisexclusion AND i.indkey[0] <> a.attnum;
    RETURN QUERY SELECT DISTINCT format('%s.%I', a.attrelid::regclass, a.attname), format('an index over type %s', format_type(t.oid, NULL)),
                        'Its operators are not leakproof, so no index condition is made of them under row-level security.'
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                   JOIN pg_type d ON d.oid = a.atttypid
                   JOIN pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
                  WHERE i.indrelid = ANY (tables) AND (t.typtype = 'e' OR t.oid = 'numeric'::regtype);

    -- Statistics are of all tenants together: what is estimated of a personal value tells whether another tenant has it.
    RETURN QUERY SELECT format('%s.%I', a.attrelid::regclass, a.attname), 'statistics are kept of a personal column',
                        format('ALTER TABLE %s ALTER %I SET STATISTICS 0; then ANALYZE it.', a.attrelid::regclass, a.attname)
                   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                  WHERE a.attrelid = ANY (protected) AND t.typnamespace = '@extschema@'::regnamespace AND coalesce(a.attstattarget, -1) <> 0
                    AND t.typname IN ('person_name', 'mobile', 'email_address', 'vehicle_number', 'user_name', 'remark');
    RETURN QUERY SELECT format('statistics %s', s.stxname), format('extended statistics of %s', s.stxrelid::regclass),
                        format('DROP STATISTICS %I.%I;', n.nspname, s.stxname)
                   FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
                  WHERE s.stxrelid = ANY (protected)
                    AND (s.stxexprs IS NOT NULL OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = s.stxrelid
                                                              AND a.attnum = ANY (s.stxkeys) AND a.attstattarget = 0));

    -- Views
    RETURN QUERY SELECT c.oid::regclass::text, 'a view with the rights of its owner',
                        format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass)
                   FROM pg_class c
                  WHERE (c.relnamespace = ANY (schemas) OR c.oid = ANY (readers)) AND c.relkind = 'v'
                    AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
                                     WHERE o.option_name = 'security_invoker' AND o.option_value::boolean);
    RETURN QUERY SELECT c.oid::regclass::text, 'a materialized view', 'Make a table or a view of it: policies do not hold here.'
                   FROM pg_class c WHERE (c.relnamespace = ANY (schemas) OR c.oid = ANY (readers)) AND c.relkind = 'm';
    -- Its statements have the rights of the owner of the table or view it is on, security_invoker or not.
    RETURN QUERY SELECT format('%s.%I', w.ev_class::regclass, w.rulename), 'a rule that reads or writes with the rights of its table''s owner',
                        format('DROP RULE %I ON %s;', w.rulename, w.ev_class::regclass)
                   FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class
                  WHERE w.rulename <> '_RETURN' AND (c.relnamespace = ANY (schemas) OR c.oid = ANY (readers)) AND c.oid <> ALL (protected);

    RETURN QUERY SELECT * FROM @extschema@.validate_code(protected, readers);
    RETURN QUERY SELECT * FROM @extschema@.validate_roles();
    RETURN QUERY SELECT * FROM @extschema@.validate_grants();
    RETURN QUERY SELECT * FROM @extschema@.validate_catalog();
    RETURN QUERY SELECT format('database %I', current_database()), 'the library is not loaded with each session',
                        format('ALTER DATABASE %I SET session_preload_libraries = ''relygate'';', current_database())
                  WHERE current_setting('shared_preload_libraries') !~ '\mrelygate\M' AND NOT EXISTS (
                        SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                         WHERE s.setrole = 0 AND s.setdatabase IN (0, here) AND c.setting ~ '^session_preload_libraries=.*\mrelygate\M');

    -- What PUBLIC must not have
    RETURN QUERY SELECT f.object, f.finding, f.advice FROM (VALUES
        (format('database %I', current_database()), 'everybody may make temporary tables or schemas',
         format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC;', current_database()),
         has_database_privilege('public', current_database(), 'TEMPORARY') OR has_database_privilege('public', current_database(), 'CREATE')),
        ('pg_catalog.pg_db_role_setting', 'everybody may read which login belongs to which tenant',
         'REVOKE SELECT ON pg_catalog.pg_db_role_setting FROM PUBLIC;', has_table_privilege('public', 'pg_catalog.pg_db_role_setting', 'SELECT')))
        AS f (object, finding, advice, is_so) WHERE f.is_so;
    RETURN QUERY SELECT format('schema %I', n.nspname), 'everybody may create objects in it', format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname)
                   FROM pg_namespace n WHERE (n.oid = ANY (schemas) OR n.nspname = 'public') AND has_schema_privilege('public', n.oid, 'CREATE');
    RETURN QUERY SELECT p.oid::regprocedure::text, 'everybody may call this function', format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')
                    AND (p.proname ~ '^pg_(try_)?advisory_(xact_)?lock' OR p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import'));
    RETURN QUERY SELECT format('role %s', w.name), 'everybody may call the functions that it makes',
                        format('ALTER DEFAULT PRIVILEGES FOR ROLE %s REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;', w.name)
                   FROM unnest(ARRAY['relygate_owner', 'relygate_platform', 'relygate_audit']) AS w (name)
                  WHERE EXISTS (SELECT FROM aclexplode(coalesce((SELECT d.defaclacl FROM pg_default_acl d WHERE d.defaclrole = to_regrole(w.name)
                                                                    AND d.defaclnamespace = 0 AND d.defaclobjtype = 'f'),
                                                                acldefault('f', to_regrole(w.name)))) a WHERE a.grantee = 0)
                     OR EXISTS (SELECT FROM pg_default_acl d, aclexplode(d.defaclacl) a
                                 WHERE d.defaclrole = to_regrole(w.name) AND d.defaclnamespace <> 0 AND a.grantee = 0);

    -- Routes of a DBA: each answers 500 or 403 only when somebody asks it. Of what is no plain table, or has a type of somebody's own,
    -- reading alone would run his code.
    RETURN QUERY SELECT w.oid::regclass::text, 'it is not the table that was deployed, so it is not read', 'Look who changed it, and make it anew.'
                   FROM unnest(altered) AS w (oid);
    IF to_regclass('relygate_global.routes') IS NOT NULL AND altered = '{}' THEN
        RETURN QUERY SELECT format('route %s %s', r.method, r.pattern), w.finding, w.advice
                       FROM relygate_global.routes r
                      CROSS JOIN LATERAL (SELECT count(*) AS count, min(p.oid) AS oid FROM pg_proc p
                                           WHERE p.pronamespace = '@extschema@'::regnamespace AND p.proname = r.function) f
                      CROSS JOIN LATERAL (
                        SELECT format('function relygate.%s is %s', r.function, CASE f.count WHEN 0 THEN 'not there' ELSE 'there more than once' END),
                               format('Make it one, or DELETE FROM relygate_global.routes WHERE method = %L AND pattern = %L;', r.method, r.pattern)
                         WHERE f.count <> 1
                        UNION ALL
                        SELECT format('relygate_api may not call relygate.%s', r.function),
                               format('GRANT EXECUTE ON FUNCTION %s TO relygate_api;', f.oid::regprocedure)
                         WHERE f.count = 1 AND NOT has_function_privilege('relygate_api', f.oid, 'EXECUTE')
                        UNION ALL
                        SELECT format('no role has permission %s, which it asks for', r.permission),
                               'Let it ask for one of relygate.list_permissions(), or give this one to roles in relygate.role_permissions.'
                         WHERE r.permission NOT IN ('public', 'signed_in')
                           AND NOT EXISTS (SELECT FROM @extschema@.product_permissions() k WHERE k.permission = r.permission)
                           AND NOT EXISTS (SELECT FROM @extschema@.role_permissions k WHERE k.permission = r.permission)) AS w (finding, advice);
    END IF;

    -- The audit
    RETURN QUERY SELECT * FROM @extschema@.audit_defects();

    -- The guard
    RETURN QUERY SELECT format('event trigger %s', w.name), 'missing or disabled', 'Deploy the migration guard, or enable it.'
                   FROM unnest(ARRAY['relygate_guard_ddl', 'relygate_guard_drop']) AS w (name)
                  WHERE NOT EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtname = w.name AND e.evtenabled IN ('O', 'A'));
    RETURN QUERY SELECT format('event trigger %s', w.name), 'it runs another function, or for fewer commands',
                        format('Drop it and make it anew, as in migrations/deploy/%s.sql.', w.migration)
                   FROM (VALUES ('relygate_guard_drop', 'guard_drop', 'sql_drop', NULL::text[], 'guard'),
                                ('relygate_guard_audit_drop', 'guard_audit_drop', 'sql_drop', NULL, 'audit_guard'),
                                ('relygate_guard_audit_ddl', 'guard_audit_ddl', 'ddl_command_end', '{GRANT,CREATE RULE}', 'audit_guard'),
                                -- The migration guard knows five commands; guard_wider comes after the seals of the audit.
                                ('relygate_guard_ddl', 'guard_ddl', 'ddl_command_end', CASE WHEN to_regclass('@extschema@.audit_seals') IS NULL THEN '{}'::text[]
                                     ELSE '{CREATE INDEX,CREATE RULE,CREATE TABLE}' END, 'guard_wider')) AS w (name, function, event, tags, migration)
                   JOIN pg_event_trigger e ON e.evtname = w.name
                   JOIN pg_proc f ON f.oid = e.evtfoid
                  WHERE f.pronamespace <> '@extschema@'::regnamespace OR f.proname <> w.function OR e.evtevent <> w.event
                     -- No list is all commands.
                     OR e.evttags IS NOT NULL AND NOT coalesce(e.evttags @> (w.tags || '{ALTER TABLE,ALTER POLICY,CREATE POLICY,CREATE TRIGGER,ALTER TRIGGER}'::text[])
                                                               AND w.tags IS NOT NULL, false);
END $$;
COMMENT ON FUNCTION @extschema@.validate_schema() IS
'Lists what is wrong with the protection of this database: tables, keys, functions, views, logins, a DBA''s routes, the guard. Empty is right. '
'Callers: a superuser.';
REVOKE ALL ON FUNCTION @extschema@.validate_schema() FROM PUBLIC;
