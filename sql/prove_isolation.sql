-- Isolation, tried on the live database: scratch tenants get a row in every protected table, and the product's roles attack one
-- from another. Everything happens in a subtransaction that is always rolled back, with triggers off, so that no audit row, no
-- notification and no sequence knows of it. The locks are those of an INSERT; objects are made that only the proof itself sees.
-- Its session is a superuser's whatever role it takes, so tables and views that would run somebody else's code are not touched.

CREATE TYPE @extschema@.isolation_proof AS (attack text, tried text, held boolean, detail text);
COMMENT ON TYPE @extschema@.isolation_proof IS 'One attack of prove_isolation(); held is NULL where it could not be tried.';

-- The attacks on tables and views. tenant: for whom the role works then; expected: numbers of rows and SQLSTATEs that are right;
-- control: what must find the own row, else the attack would hold because nothing is there; untried: relations to keep away from.
CREATE FUNCTION @extschema@.isolation_attacks(north uuid, south uuid, west uuid, untried regclass[]) RETURNS TABLE (
    attack text, tried text, target regclass, role name, tenant uuid, statement text, expected text[], control text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    refused CONSTANT text[] := ARRAY['42501'];
    nothing CONSTANT text[] := ARRAY['0'];
    no_context CONSTANT text[] := ARRAY['RG401'];
    -- What the rows of a tenant can be known by, wherever they are shown.
    ids_of_south CONSTANT text := (SELECT string_agg(@extschema@.scratch_id(t.target, south)::text, '|') FROM @extschema@.tenant_tables() t);
    ids_of_north CONSTANT text := (SELECT string_agg(@extschema@.scratch_id(t.target, north)::text, '|') FROM @extschema@.tenant_tables() t);
BEGIN
    RETURN QUERY
    -- Roles of the product and the owner, whom FORCE must hold. Whom no policy holds can prove nothing.
    WITH actors AS (
        SELECT t.target, t.tenant_column AS key, r.rolname AS role, r.oid = c.relowner AS is_owner,
               has_table_privilege(r.oid, c.oid, 'INSERT') AS may_insert, has_table_privilege(r.oid, c.oid, 'UPDATE') AS may_update,
               has_table_privilege(r.oid, c.oid, 'DELETE') AS may_delete, has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT') AS may_select,
               -- Triggers that fire even in a restore: rows are written once.
               EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'append_only') AS is_append_only,
               (SELECT w.attname FROM pg_attribute w WHERE w.attrelid = c.oid AND w.atttypid = 'text'::regtype AND w.attnotnull AND NOT w.attisdropped
                 ORDER BY w.attnum LIMIT 1) AS a_text
          FROM @extschema@.tenant_tables() t JOIN pg_class c ON c.oid = t.target
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = t.tenant_column
          JOIN pg_roles r ON r.rolname IN ('relygate_api', 'relygate_reporting') OR r.oid = c.relowner
         WHERE NOT r.rolsuper AND NOT r.rolbypassrls AND t.target <> ALL (untried))
    SELECT v.attack, format('%s %s as %s', v.what, a.target, a.role), a.target, a.role, v.tenant, v.statement, v.expected,
           CASE WHEN v.tenant = north AND a.may_select THEN format('SELECT FROM %s WHERE %I = %L', a.target, a.key, north) END
      FROM actors a CROSS JOIN LATERAL (VALUES
        ('read', 'SELECT FROM', a.may_select, north, nothing, format('SELECT FROM %s WHERE %I = %L', a.target, a.key, south)),
        ('leaking condition', 'a condition that fails on the other''s row:', a.may_select, north, nothing,
         format('SELECT FROM %s WHERE %I IN (%L, %L) AND 1 / (CASE WHEN %2$I = %4$L THEN 0 ELSE 1 END) = 0', a.target, a.key, north, south)),
        ('write', 'INSERT INTO', a.may_insert, north, refused, @extschema@.scratch_row(a.target, a.key, south, west)),
        ('move', 'UPDATE that moves the own row of', a.may_update AND a.may_select, north, refused,
         format('UPDATE %s SET %I = %L WHERE %2$I = %4$L', a.target, a.key, south, north)),
        ('change', 'UPDATE', a.may_update AND a.may_select, north, nothing,
         format('UPDATE %s SET %I = %2$I WHERE %2$I = %L', a.target, a.key, south)),
        ('delete', 'DELETE FROM', a.may_delete AND a.may_select, north, nothing,
         format('DELETE FROM %s WHERE %I = %L', a.target, a.key, south)),
        ('same key', 'INSERT of the other''s keys INTO', a.may_insert AND a.key <> 'id', west, ARRAY['1'],
         @extschema@.scratch_row(a.target, a.key, west, south)),
        ('append only', 'UPDATE of the own row of', a.is_append_only AND a.may_update AND a.a_text IS NOT NULL, north, refused,
         format('UPDATE %s SET %I = %2$I || ''x'' WHERE %I = %L', a.target, coalesce(a.a_text, a.key), a.key, north)),
        ('append only', 'DELETE of the own row of', a.is_append_only AND a.may_delete, north, refused,
         format('DELETE FROM %s WHERE %I = %L', a.target, a.key, north)),
        ('no tenant', 'SELECT FROM', a.may_select, NULL, no_context, format('SELECT FROM %s WHERE %I = %L', a.target, a.key, south)),
        ('no tenant', 'INSERT INTO', a.may_insert, NULL, no_context, @extschema@.scratch_row(a.target, a.key, south, west)),
        ('no tenant', 'UPDATE', a.may_update AND a.may_select, NULL, no_context,
         format('UPDATE %s SET %I = %2$I WHERE %2$I = %L', a.target, a.key, south)),
        ('no tenant', 'DELETE FROM', a.may_delete AND a.may_select, NULL, no_context,
         format('DELETE FROM %s WHERE %I = %L', a.target, a.key, south))
        ) AS v (attack, what, is_possible, tenant, expected, statement)
     WHERE v.is_possible AND NOT (v.attack = 'move' AND a.is_append_only)
    UNION ALL
    SELECT 'read', format('SELECT FROM the partition %s as %s', i.inhrelid::regclass, r.rolname), a.target, r.rolname, north,
           format('SELECT FROM %s', i.inhrelid::regclass), ARRAY['0', '42501', 'RG401'], NULL
      FROM actors a JOIN pg_inherits i ON i.inhparent = a.target JOIN pg_roles r ON r.rolname = a.role
     -- The sealer has a policy of its own there (validate_schema looks at it), and no member.
     WHERE NOT (a.is_owner AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = i.inhrelid))
    UNION ALL
    SELECT 'view', format('SELECT FROM %s as relygate_reporting', c.oid::regclass), NULL, 'relygate_reporting', north,
           -- Not v::text: of the view's type its owner can make a cast.
           format('SELECT FROM %s AS v WHERE format(''%%s'', v) ~ %L', c.oid::regclass, ids_of_south), nothing,
           format('SELECT FROM %s AS v WHERE format(''%%s'', v) ~ %L', c.oid::regclass, ids_of_north)
      FROM pg_class c
     WHERE c.relkind = 'v' AND c.relnamespace = to_regnamespace('relygate_report') AND has_table_privilege('relygate_reporting', c.oid, 'SELECT')
       AND c.oid <> ALL (untried::oid[])
    UNION ALL
    SELECT 'forged context', format('set_config(%L) as relygate_reporting', s.name), NULL, 'relygate_reporting', north,
           format('SELECT set_config(%L, %L, true)', s.name, s.value), refused, NULL
      FROM (VALUES ('app.tenant_id', south::text), ('app.user_id', south::text), ('app.user_role', 'x'), ('app.request_id', 'x'),
                   ('app.client_address', '127.0.0.1'), ('relygate.context_lifetime', 'session')) AS s (name, value)
    UNION ALL
    SELECT 'two tenants', 'one transaction of the service for two tenants', NULL, 'relygate_api', north,
           format('SELECT @extschema@.current_tenant() UNION ALL SELECT set_config(''app.tenant_id'', %L, true)::uuid '
                  'UNION ALL SELECT @extschema@.current_tenant()', south), ARRAY['25001'], NULL;
END $$;
COMMENT ON FUNCTION @extschema@.isolation_attacks(uuid, uuid, uuid, regclass[]) IS
'The attacks of the scratch tenant north on south, and of west, which has no rows. Callers: prove_isolation.';
REVOKE ALL ON FUNCTION @extschema@.isolation_attacks(uuid, uuid, uuid, regclass[]) FROM PUBLIC;

-- What the guard must refuse to everybody, a superuser too; asked of a table that only this transaction sees.
CREATE FUNCTION @extschema@.guard_attacks(scratch text) RETURNS TABLE (tried text, statement text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SECURITY INVOKER AS $$
    SELECT w, pg_catalog.format(w, scratch) FROM pg_catalog.unnest(ARRAY[
        'ALTER TABLE %s DISABLE ROW LEVEL SECURITY', 'ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', 'DROP POLICY base ON %s',
        'DROP POLICY tenant ON %s', 'ALTER POLICY base ON %s USING (true)', 'ALTER POLICY tenant ON %s USING (true)',
        'ALTER POLICY tenant ON %s WITH CHECK (true)', 'DROP TRIGGER relygate_no_truncate ON %s',
        'ALTER TABLE %s ENABLE REPLICA TRIGGER relygate_no_truncate', 'TRUNCATE %s']) AS w $$;
COMMENT ON FUNCTION @extschema@.guard_attacks(text) IS 'Commands that would open a protected table. Callers: prove_isolation.';
REVOKE ALL ON FUNCTION @extschema@.guard_attacks(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.prove_isolation() RETURNS SETOF @extschema@.isolation_proof
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    north CONSTANT uuid := gen_random_uuid();
    south CONSTANT uuid := gen_random_uuid();
    west CONSTANT uuid := gen_random_uuid();
    scratch CONSTANT text := '@extschema@.proof_' || replace(north::text, '-', '');
    -- @plpgsql_check_options: security_warnings = off
    -- The statements are made by isolation_attacks, guard_attacks and scratch_row from the catalogs, every name and value quoted.
    proofs @extschema@.isolation_proof[] := ARRAY[]::@extschema@.isolation_proof[];
    unmade regclass[] := ARRAY[]::regclass[];
    untried regclass[] := ARRAY[]::regclass[];
    item record;
    n bigint;
    seen bigint[];
    got text;
    said text;
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
        RAISE EXCEPTION 'must be superuser to prove the isolation' USING ERRCODE = 'insufficient_privilege',
            HINT = 'It becomes the product''s roles, one after the other, and makes rows for tenants that do not exist.';
    ELSIF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'the isolation cannot be proven in a read-only transaction' USING ERRCODE = 'read_only_sql_transaction',
            DETAIL = 'Rows of scratch tenants are made and rolled back.', HINT = 'Run it on the primary.';
    END IF;

    BEGIN   -- all of this is rolled back
        SET LOCAL session_replication_role = replica;
        SET LOCAL row_security = on;
        SET LOCAL client_min_messages = warning;
        -- First the locks: what a table or view runs cannot be changed any more between the look at it and the rows.
        FOR item IN SELECT t.target FROM @extschema@.tenant_tables() t
                    UNION ALL SELECT c.oid::regclass FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = to_regnamespace('relygate_report') LOOP
            BEGIN
                EXECUTE format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', item.target);
            EXCEPTION WHEN insufficient_privilege THEN      -- a view's owner has no right on what it reads
                proofs := proofs || ROW('view', format('SELECT FROM %s', item.target), NULL, 'not tried: ' || SQLERRM)::@extschema@.isolation_proof;
                untried := untried || item.target;
            END;
        END LOOP;
        FOR item IN SELECT u.target, u.detail FROM @extschema@.untried_relations() u ORDER BY u.target::text LOOP
            proofs := proofs || ROW('rows', format('rows of scratch tenants in %s', item.target), NULL, item.detail)::@extschema@.isolation_proof;
            untried := untried || item.target;
        END LOOP;
        FOR item IN SELECT t.target, t.tenant_column, t.is_protected, @extschema@.protection_defects(t.target) AS defects
                      FROM @extschema@.tenant_tables() t LOOP
            said := CASE WHEN NOT item.is_protected THEN 'the table is not protected' ELSE item.defects END;
            proofs := proofs || ROW('protection', format('policies and triggers of %s', item.target), said IS NULL, said)::@extschema@.isolation_proof;
            CONTINUE WHEN item.target = ANY (untried);
            BEGIN
                EXECUTE @extschema@.scratch_row(item.target, item.tenant_column, north, north);
                EXECUTE @extschema@.scratch_row(item.target, item.tenant_column, south, south);
            EXCEPTION WHEN unique_violation THEN
                proofs := proofs || ROW('same key', format('rows of two tenants in %s', item.target), false, SQLERRM)::@extschema@.isolation_proof;
                unmade := unmade || item.target;
            WHEN OTHERS THEN
                proofs := proofs || ROW('rows', format('rows of scratch tenants in %s', item.target), NULL,
                                        format('no row could be made: %s', SQLERRM))::@extschema@.isolation_proof;
                unmade := unmade || item.target;
            END;
        END LOOP;

        FOR item IN SELECT * FROM @extschema@.isolation_attacks(north, south, west, untried) a WHERE a.target IS NULL OR a.target <> ALL (unmade) LOOP
            said := NULL;
            BEGIN
                PERFORM set_config('app.tenant_id', coalesce(item.tenant::text, ''), true);
                IF item.attack = 'two tenants' THEN
                    SET LOCAL relygate.context_lifetime = 'transaction';
                END IF;
                EXECUTE format('SET LOCAL ROLE %I', item.role);
                n := 1;
                IF item.control IS NOT NULL THEN
                    EXECUTE item.control;
                    GET DIAGNOSTICS n = ROW_COUNT;
                END IF;
                IF n = 0 THEN
                    got := NULL;
                    said := 'the own row is not seen either, so nothing is proven';
                ELSE
                    EXECUTE item.statement;
                    GET DIAGNOSTICS n = ROW_COUNT;
                    got := n::text;
                    said := format('%s rows', n);
                END IF;
                RAISE EXCEPTION USING ERRCODE = 'RG000';    -- back to who we were
            EXCEPTION WHEN OTHERS THEN
                IF SQLSTATE <> 'RG000' THEN
                    got := SQLSTATE;
                    said := format('%s: %s', SQLSTATE, SQLERRM);
                END IF;
            END;
            proofs := proofs || ROW(item.attack, item.tried, got = ANY (item.expected), said)::@extschema@.isolation_proof;
        END LOOP;

        -- A plan made for one tenant, run for the other.
        BEGIN
            IF '@extschema@.purposes'::regclass = ANY (untried) THEN
                RAISE EXCEPTION 'not tried: see @extschema@.purposes' USING ERRCODE = 'RG001';
            END IF;
            SET LOCAL plan_cache_mode = force_generic_plan;
            SET LOCAL ROLE relygate_api;
            FOR item IN SELECT * FROM unnest(ARRAY[north, south, north]) WITH ORDINALITY AS t (tenant, turn) LOOP
                PERFORM set_config('app.tenant_id', item.tenant::text, true);
                SELECT count(*) FILTER (WHERE v.tenant_id = item.tenant) - count(*) FILTER (WHERE v.tenant_id <> item.tenant)
                  INTO n FROM @extschema@.purposes v;
                seen[item.turn] := n;
            END LOOP;
            RAISE EXCEPTION USING ERRCODE = 'RG000';
        EXCEPTION WHEN OTHERS THEN
            said := CASE WHEN SQLSTATE = 'RG000' THEN format('%s of the own row', array_to_string(seen, ', ')) ELSE SQLERRM END;
            proofs := proofs || ROW('kept plan', 'one generic plan for two tenants as relygate_api', CASE WHEN SQLSTATE <> 'RG001' THEN coalesce(seen = ARRAY[1, 1, 1]::bigint[], false) END, said)::@extschema@.isolation_proof;
        END;

        SET LOCAL session_replication_role = origin;    -- else the guard would sleep
        BEGIN
            IF EXISTS (SELECT FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_roles r ON r.oid = p.proowner
                        WHERE e.evtenabled <> 'D' AND NOT r.rolsuper) THEN
                RAISE EXCEPTION 'not tried: an event trigger calls what is not a superuser''s' USING ERRCODE = 'RG001';
            END IF;
            EXECUTE format('CREATE TABLE %s (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id))', scratch);
            EXECUTE format('SELECT @extschema@.protect_table(%L)', scratch);
            FOR item IN SELECT * FROM @extschema@.guard_attacks(scratch) LOOP
                BEGIN
                    EXECUTE item.statement;
                    RAISE EXCEPTION USING ERRCODE = 'RG000';
                EXCEPTION WHEN OTHERS THEN
                    proofs := proofs || ROW('guard', format(item.tried, 'a protected table'), SQLSTATE = '42501',
                        CASE SQLSTATE WHEN 'RG000' THEN 'not refused' ELSE format('%s: %s', SQLSTATE, replace(SQLERRM, scratch, 'it')) END)::@extschema@.isolation_proof;
                END;
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            proofs := proofs || ROW('guard', 'protecting a new table', CASE WHEN SQLSTATE <> 'RG001' THEN false END, SQLERRM)::@extschema@.isolation_proof;
        END;
        RAISE EXCEPTION USING ERRCODE = 'RG000';
    EXCEPTION WHEN SQLSTATE 'RG000' THEN
        NULL;
    END;

    -- Logins: the session's user is a superuser here, so what another's session could choose is not tried but looked up.
    FOR item IN SELECT DISTINCT s.setrole::regrole::text AS login, @extschema@.binding_obstacle(s.setrole) AS obstacle
                  FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                 WHERE s.setrole <> 0 AND c.setting LIKE 'app.tenant\_id=%'
                   AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) ORDER BY 1 LOOP
        proofs := proofs || ROW('login', format('rights of the bound login %s', item.login), item.obstacle IS NULL, item.obstacle)::@extschema@.isolation_proof;
    END LOOP;
    RETURN QUERY SELECT p.* FROM unnest(proofs) AS p;
END $$;
COMMENT ON FUNCTION @extschema@.prove_isolation() IS
'Attacks the isolation of this database between scratch tenants and says of each attack whether it held (NULL: could not be tried). '
'Leaves nothing behind. Not tried: what needs a login of its own (SET by a bound login, connection options, pools). Errors: 42501 '
'no superuser; 25006 read-only. Callers: a superuser.';
REVOKE ALL ON FUNCTION @extschema@.prove_isolation() FROM PUBLIC;
