-- Logins that belong to one tenant: its id is a setting of the role in this database, so it holds at each login without any
-- look-up and follows the login through SET ROLE. Role names must not name tenants, since everybody can read them.

CREATE FUNCTION @extschema@.end_role_sessions(role oid) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'relygate_end_role_sessions';
COMMENT ON FUNCTION @extschema@.end_role_sessions(oid) IS
'Ends the sessions of a login in this database when the transaction commits. Callers: bind_role, unbind_role.';
REVOKE ALL ON FUNCTION @extschema@.end_role_sessions(oid) FROM PUBLIC;

CREATE FUNCTION @extschema@.binding_obstacle(role oid) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found text;
BEGIN
    -- With all it is a member of: SET ROLE makes their attributes its own.
    SELECT format('it is, or is a member of, a role that is %s: "%s"',
                  CASE WHEN r.rolsuper THEN 'SUPERUSER' WHEN r.rolbypassrls THEN 'BYPASSRLS'
                       WHEN r.rolreplication THEN 'REPLICATION' WHEN r.rolcreaterole THEN 'CREATEROLE' ELSE 'CREATEDB' END, r.rolname) INTO found
      FROM pg_roles r WHERE pg_has_role(binding_obstacle.role, r.oid, 'MEMBER')
       AND (r.rolsuper OR r.rolbypassrls OR r.rolreplication OR r.rolcreaterole OR r.rolcreatedb) ORDER BY r.rolname LIMIT 1;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    SELECT format('it is a member of "%s"', r.rolname) INTO found
      FROM pg_roles r WHERE pg_has_role(binding_obstacle.role, r.oid, 'MEMBER')
       AND (r.rolname IN ('relygate_owner', 'relygate_api', 'relygate_audit', 'relygate_platform', 'relygate_backup')
            OR r.rolname LIKE 'pg\_%' AND r.rolname <> 'pg_database_owner') ORDER BY r.rolname LIMIT 1;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    SELECT format('it may set %s', s.name) INTO found
      FROM unnest(ARRAY['app.tenant_id', 'app.user_id', 'app.user_role', 'app.request_id', 'app.client_address',
                        'relygate.context_lifetime']) AS s (name)
     WHERE has_parameter_privilege(binding_obstacle.role, s.name, 'SET') LIMIT 1;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    SELECT format('it owns %s', o.what) INTO found
      FROM (SELECT 'the database' AS what, d.datdba AS owner FROM pg_database d WHERE d.datname = current_database()
            UNION ALL SELECT format('schema %I', n.nspname), n.nspowner FROM pg_namespace n WHERE n.nspname LIKE 'relygate%'
            UNION ALL SELECT c.oid::regclass::text, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname LIKE 'relygate%'
            UNION ALL SELECT p.oid::regprocedure::text, p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                       WHERE n.nspname LIKE 'relygate%') o
     WHERE pg_has_role(binding_obstacle.role, o.owner, 'MEMBER') LIMIT 1;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    -- What relygate_reporting was given, validate_grants() looks at.
    SELECT format('it has %s on %s', e.privilege, e.object) INTO found
      FROM @extschema@.excess_rights(ARRAY(SELECT r.oid FROM pg_roles r WHERE pg_has_role(binding_obstacle.role, r.oid, 'MEMBER')
                                              AND r.rolname <> 'relygate_reporting')) e
     ORDER BY e.object, e.privilege LIMIT 1;
    RETURN found;
END $$;
COMMENT ON FUNCTION @extschema@.binding_obstacle(oid) IS 'Why a role cannot be bound to a tenant, NULL if it can.';
REVOKE ALL ON FUNCTION @extschema@.binding_obstacle(oid) FROM PUBLIC;

CREATE FUNCTION @extschema@.bind_role(role name, tenant_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    id CONSTANT oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = bind_role.role);
    obstacle text;
BEGIN
    -- Nobody notices that a STRICT function did nothing.
    IF bind_role.role IS NULL OR bind_role.tenant_id IS NULL THEN
        RAISE EXCEPTION 'a role and a tenant are needed' USING ERRCODE = 'null_value_not_allowed';
    ELSIF id IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', bind_role.role USING ERRCODE = 'undefined_object';
    END IF;
    obstacle := @extschema@.binding_obstacle(id);
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION 'role "%" cannot be bound to a tenant', bind_role.role
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('The role cannot be held to one tenant: %s.', obstacle);
    END IF;
    IF NOT EXISTS (SELECT FROM @extschema@.tenants t WHERE t.id = bind_role.tenant_id) THEN
        RAISE EXCEPTION 'tenant "%" does not exist', bind_role.tenant_id USING ERRCODE = 'no_data_found';
    END IF;
    EXECUTE format('GRANT relygate_reporting TO %I', bind_role.role);
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET app.tenant_id = %L', bind_role.role, current_database(), bind_role.tenant_id);
    -- Which tenant it is, the planner is not told: it reckons with one of average size. For a small one beside a large one that means to
    -- scan the whole table and to compile for it, which takes a hundred times as long as the tenant's own rows.
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET enable_seqscan = off', bind_role.role, current_database());
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET jit = off', bind_role.role, current_database());
    PERFORM @extschema@.end_role_sessions(id);
END $$;
COMMENT ON FUNCTION @extschema@.bind_role(name, uuid) IS
'Binds a login to a tenant: it reads that tenant''s rows through relygate_reporting, with no SET, and cannot choose another. Ends '
'its open sessions at commit. Errors: 22004 null; 42704 no such role; P0002 no such tenant; 42501 the role has rights that no binding can hold. Callers: a superuser.';
REVOKE ALL ON FUNCTION @extschema@.bind_role(name, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.unbind_role(role name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    id CONSTANT oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = unbind_role.role);
BEGIN
    IF unbind_role.role IS NULL THEN
        RAISE EXCEPTION 'a role is needed' USING ERRCODE = 'null_value_not_allowed';
    ELSIF id IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', unbind_role.role USING ERRCODE = 'undefined_object';
    ELSIF NOT EXISTS (SELECT FROM pg_db_role_setting s, pg_database d, unnest(s.setconfig) AS c (setting)
                       WHERE s.setrole = id AND s.setdatabase = d.oid AND d.datname = current_database() AND c.setting LIKE 'app.tenant\_id=%') THEN
        -- A name mistyped would leave the login that was meant bound.
        RAISE EXCEPTION 'role "%" is not bound to a tenant in this database', unbind_role.role USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET app.tenant_id', unbind_role.role, current_database());
    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET enable_seqscan', unbind_role.role, current_database());
    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET jit', unbind_role.role, current_database());
    -- The membership belongs to the cluster: another database may have bound this login, too.
    IF NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                    WHERE s.setrole = id AND c.setting LIKE 'app.tenant\_id=%') THEN
        EXECUTE format('REVOKE relygate_reporting FROM %I', unbind_role.role);
    END IF;
    PERFORM @extschema@.end_role_sessions(id);
END $$;
COMMENT ON FUNCTION @extschema@.unbind_role(name) IS
'Takes a login''s tenant away and ends its open sessions at commit. Errors: 22004 null; 42704 no such role; 55000 it is not bound here. Callers: '
'a superuser.';
REVOKE ALL ON FUNCTION @extschema@.unbind_role(name) FROM PUBLIC;

CREATE FUNCTION @extschema@.grant_functions() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
BEGIN
    FOR item IN SELECT f.function, f.is_reading FROM @extschema@.product_functions() f LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO relygate_api, relygate_owner', item.function);
        IF item.is_reading THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO relygate_reporting, relygate_audit, relygate_platform', item.function);
        END IF;
    END LOOP;
    -- relygate_owner protects tables that it adds; keys of rows are made wherever rows are.
    GRANT EXECUTE ON FUNCTION @extschema@.protect_table(regclass, name), @extschema@.refuse_truncate(),
        @extschema@.protection_defects(regclass) TO relygate_owner;
    GRANT EXECUTE ON FUNCTION @extschema@.uuid_v7() TO relygate_audit, relygate_platform;
END $$;
COMMENT ON FUNCTION @extschema@.grant_functions() IS
'Grants the extension''s functions: those of the API to relygate_api and relygate_owner, those of them that only read also to '
'relygate_reporting. Run by the migrations and after each ALTER EXTENSION relygate UPDATE.';
REVOKE ALL ON FUNCTION @extschema@.grant_functions() FROM PUBLIC;
