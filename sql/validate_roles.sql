-- The part of validate_schema() that looks at roles: logins that are bound to a tenant, the product's roles, and whoever could become one of
-- them. Roles belong to the cluster: what is said of one here may have been meant for another of its databases.

CREATE FUNCTION @extschema@.validate_roles() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    here CONSTANT oid := (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
    product CONSTANT name[] := ARRAY['relygate_owner', 'relygate_audit', 'relygate_api', 'relygate_shim', 'relygate_reporting', 'relygate_platform', 'relygate_backup'];
    bound CONSTANT oid[] := ARRAY(
        SELECT DISTINCT s.setrole FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
         WHERE s.setrole <> 0 AND c.setting LIKE 'app.tenant\_id=%' AND s.setdatabase IN (0, here));
BEGIN
    RETURN QUERY SELECT format('role %s', b.setrole::regrole), format('bound to a tenant, but %s', b.obstacle),
                        format('Take that away, or SELECT relygate.unbind_role(%L);', b.setrole::regrole)
                   FROM (SELECT DISTINCT s.setrole, @extschema@.binding_obstacle(s.setrole) AS obstacle
                           FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                          WHERE s.setrole <> 0 AND c.setting LIKE 'app.tenant\_id=%' AND s.setdatabase IN (0, here)) b
                  WHERE b.obstacle IS NOT NULL;
    RETURN QUERY SELECT format('parameter %s', m.parname), format('SET is granted to %s',
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        'Only relygate_api and relygate_owner may choose a tenant.'
                   FROM pg_parameter_acl m CROSS JOIN LATERAL aclexplode(m.paracl) a
                   LEFT JOIN pg_roles r ON r.oid = a.grantee
                  WHERE (m.parname LIKE 'app.%' OR m.parname IN ('relygate.context_lifetime', 'session_replication_role', 'session_preload_libraries'))
                    AND a.privilege_type = 'SET'
                    AND NOT coalesce(r.rolsuper OR r.rolname IN ('relygate_api', 'relygate_owner') AND m.parname LIKE 'app.%', false);

    RETURN QUERY SELECT format('role %s', r.rolname), 'a role of the product that no policy holds, or that may make roles',
                        format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION;', r.rolname)
                   FROM pg_roles r
                  WHERE r.rolname = ANY (product) AND r.rolname <> 'relygate_backup'
                    AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication);
    -- Walked from edge to edge: what a role is given by another is found where that one has it.
    RETURN QUERY SELECT DISTINCT format('role %I', r.rolname), format('a member of %I', g.rolname), format('REVOKE %I FROM %I;', g.rolname, r.rolname)
                   FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
                  WHERE NOT r.rolsuper
                    AND (g.rolname IN ('relygate_audit', 'relygate_platform', 'relygate_backup')
                         OR (r.rolname = ANY (product) OR r.rolname = 'pg_read_all_data')
                            AND (r.rolname, g.rolname) NOT IN (('relygate_shim', 'relygate_api'), ('relygate_backup', 'pg_read_all_data')));
    -- ... and so does a superuser's or bypasser's role: SET ROLE. The product's and the bound are named above.
    RETURN QUERY SELECT format('role %I', r.rolname), CASE WHEN r.rolbypassrls THEN 'no policy holds it, and it may use the product''s schemas'
                                                           ELSE format('no policy holds it once it is %I', min(g.rolname)) END,
                        CASE WHEN r.rolbypassrls THEN format('ALTER ROLE %I NOBYPASSRLS; relygate_backup is for dumps.', r.rolname)
                             ELSE format('REVOKE %I, or whatever leads to it, FROM %I.', min(g.rolname), r.rolname) END
                   FROM pg_roles r JOIN pg_roles g ON pg_has_role(r.oid, g.oid, 'MEMBER') AND g.rolname <> ALL (product)
                  WHERE NOT r.rolsuper AND r.rolname <> ALL (product) AND r.oid <> ALL (bound)
                    AND (g.rolsuper OR g.rolbypassrls AND EXISTS (
                            SELECT FROM pg_namespace n WHERE n.nspname IN ('@extschema@', 'relygate_report', 'relygate_global')
                               AND (has_schema_privilege(r.oid, n.oid, 'USAGE') OR has_schema_privilege(g.oid, n.oid, 'USAGE'))))
                    AND NOT EXISTS (SELECT FROM pg_roles p WHERE p.rolname = ANY (product) AND pg_has_role(r.oid, p.oid, 'MEMBER') AND pg_has_role(p.oid, g.oid, 'MEMBER'))
                  GROUP BY r.rolname, r.rolbypassrls;
    -- The server's programs and files, its data and key file among them, and the tables that no policy stands before.
    RETURN QUERY SELECT format('role %I', r.rolname),
                        format(CASE WHEN g.rolname IN ('pg_execute_server_program', 'pg_write_server_files') THEN 'it can become a superuser as a member of %I'
                                    ELSE 'no policy holds what it may do as a member of %I' END, g.rolname),
                        format('REVOKE %I, or whatever leads to it, FROM %I.', g.rolname, r.rolname)
                   FROM pg_roles r JOIN pg_roles g ON pg_has_role(r.oid, g.oid, 'MEMBER')
                    AND g.rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_read_all_data', 'pg_write_all_data')
                  WHERE NOT r.rolsuper AND r.rolname NOT LIKE 'pg\_%' AND r.rolname <> ALL (product) AND r.oid <> ALL (bound)
                    AND NOT EXISTS (SELECT FROM pg_roles p WHERE p.rolname = ANY (product) AND pg_has_role(r.oid, p.oid, 'MEMBER') AND pg_has_role(p.oid, g.oid, 'MEMBER'));
    RETURN QUERY SELECT format('role %I', r.rolname), 'with REPLICATION it may copy the whole cluster',
                        format('ALTER ROLE %I NOREPLICATION; if it is a standby''s, let pg_hba.conf admit it from there alone.', r.rolname)
                   FROM pg_roles r WHERE r.rolreplication AND NOT r.rolsuper AND r.rolname <> ALL (product) AND r.oid <> ALL (bound);
    -- Before PostgreSQL 16 it may give itself every role that is no superuser.
    RETURN QUERY SELECT format('role %I', r.rolname), 'with CREATEROLE it may make itself a member of every role of the product',
                        format('ALTER ROLE %I NOCREATEROLE; let superusers make roles.', r.rolname)
                   FROM pg_roles r
                  WHERE r.rolcreaterole AND NOT r.rolsuper AND r.rolname <> ALL (product) AND r.oid <> ALL (bound)
                    AND current_setting('server_version_num')::int < 160000;
    -- What is granted to a role that one of these is a member of, it has itself.
    RETURN QUERY SELECT o.object, format('%s is granted to %s', a.privilege_type, a.grantee::regrole),
                        format('REVOKE %s ON %s FROM %s;', a.privilege_type, upper(split_part(o.object, ' ', 1)) || substr(o.object, strpos(o.object, ' ')), a.grantee::regrole)
                   FROM (SELECT format('database %I', d.datname), d.datacl, d.datdba, false FROM pg_database d WHERE d.oid = here
                         UNION ALL SELECT format('schema %I', n.nspname), n.nspacl, n.nspowner, n.nspname <> 'public' FROM pg_namespace n
                                    WHERE n.nspname IN ('@extschema@', 'relygate_report', 'relygate_global', 'public')) AS o (object, acl, owner, is_ours)
                  CROSS JOIN LATERAL aclexplode(o.acl) a
                  WHERE a.privilege_type IN ('TEMPORARY', 'CREATE') AND a.grantee NOT IN (0, o.owner)
                    -- It makes the partitions of the log.
                    AND NOT (o.object = 'schema @extschema@' AND a.grantee = to_regrole('relygate_audit'))
                    -- In our schemas nobody's: a function with types that fit better is called in place of the product's.
                    AND EXISTS (SELECT FROM pg_roles r WHERE NOT r.rolsuper AND CASE WHEN o.is_ours THEN r.oid = a.grantee
                                   ELSE (r.rolname = ANY (product) OR r.oid = ANY (bound)) AND pg_has_role(r.oid, a.grantee, 'MEMBER') END);
    -- A setting of the role in this database goes before its setting in all.
    RETURN QUERY SELECT 'role relygate_shim', 'a tenant that it chooses outlives the transaction',
                        format('ALTER ROLE relygate_shim IN DATABASE %I RESET relygate.context_lifetime; ALTER ROLE relygate_shim SET relygate.context_lifetime = ''transaction'';',
                               current_database())
                  WHERE to_regrole('relygate_shim') IS NOT NULL AND (
                        SELECT c.setting FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                         WHERE s.setrole = to_regrole('relygate_shim') AND s.setdatabase IN (0, here) AND c.setting LIKE 'relygate.context\_lifetime=%'
                         ORDER BY s.setdatabase DESC LIMIT 1) IS DISTINCT FROM 'relygate.context_lifetime=transaction';
    -- Settings that switch defences off: triggers (the audit's among them), event triggers (from PostgreSQL 17), the library.
    RETURN QUERY SELECT w.who, format('sessions begin with %s', w.setting), format('ALTER %s RESET %s;', w.altered, split_part(w.setting, '=', 1))
                   FROM (SELECT CASE WHEN s.setrole <> 0 THEN format('role %s', s.setrole::regrole) WHEN s.setdatabase <> 0 THEN format('database %I', current_database()) ELSE 'all roles' END AS who,
                                CASE WHEN s.setrole <> 0 THEN format('ROLE %s', s.setrole::regrole) WHEN s.setdatabase <> 0 THEN format('DATABASE %I', current_database()) ELSE 'ROLE ALL' END
                                || CASE WHEN s.setrole <> 0 AND s.setdatabase <> 0 THEN format(' IN DATABASE %I', current_database()) ELSE '' END AS altered,
                                c.setting, s.setrole
                           FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting) WHERE s.setdatabase IN (0, here)) AS w
                  WHERE w.setting ~ '^session_replication_role=(?!origin$)' OR w.setting ~* '^event_triggers=(?!(on|true|yes|1)$)'
                     OR w.setting ~ '^session_preload_libraries=' AND w.setting !~ '\mrelygate\M' AND current_setting('shared_preload_libraries') !~ '\mrelygate\M'
                        AND EXISTS (SELECT FROM pg_roles r WHERE r.oid = w.setrole AND NOT r.rolsuper);
    RETURN QUERY SELECT format('parameter %s', p.name), format('sessions begin with %s', p.reset_val), 'Look in postgresql.conf and the options of the server, or of this session.'
                   FROM pg_settings p WHERE (p.name, p.reset_val) NOT IN (('session_replication_role', 'origin'), ('event_triggers', 'on'))
                    AND p.name IN ('session_replication_role', 'event_triggers');
END $$;
COMMENT ON FUNCTION @extschema@.validate_roles() IS
'The part of validate_schema() about roles: bound logins, the product''s roles, who may set parameters or become one of them, settings that switch defences off.';
REVOKE ALL ON FUNCTION @extschema@.validate_roles() FROM PUBLIC;
