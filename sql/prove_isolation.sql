-- Isolation, tried on the live database: scratch tenants get a row in every protected table, and the product's roles attack one
-- from another. Everything happens in a subtransaction that is always rolled back, with triggers off, so that no audit row, no
-- notification and no sequence knows of it. The locks are those of an INSERT; objects are made that only the proof itself sees.
-- Its session is a superuser's whatever role it takes, so tables and views that would run somebody else's code are not touched.

CREATE TYPE @extschema@.isolation_proof AS (attack text, tried text, held boolean, detail text);
COMMENT ON TYPE @extschema@.isolation_proof IS 'One attack of prove_isolation(); held is NULL where it could not be tried.';

CREATE FUNCTION @extschema@.tenant_tables() RETURNS TABLE (target regclass, tenant_column name, is_protected boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.oid::regclass, coalesce(replace(encode(m.tgargs, 'escape'), '\000', ''),
                                     CASE WHEN c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END)::name, m.oid IS NOT NULL
      FROM pg_class c LEFT JOIN pg_trigger m ON m.tgrelid = c.oid AND m.tgfoid = '@extschema@.refuse_truncate()'::regprocedure
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND (m.oid IS NOT NULL
            OR c.relnamespace = '@extschema@'::regnamespace
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
     ORDER BY 1;
END $$;
COMMENT ON FUNCTION @extschema@.tenant_tables() IS
'The tables of tenants: all that are protected, wherever they stand, and all others of the product''s schema, which should be.';
REVOKE ALL ON FUNCTION @extschema@.tenant_tables() FROM PUBLIC;

CREATE FUNCTION @extschema@.untried_relations() RETURNS TABLE (target regclass, detail text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- Each on its own: a view runs what its tables have, a table what its partitions have.
    RETURN QUERY
    WITH RECURSIVE tree (target, oid) AS (
        SELECT t.target, t.target::oid FROM @extschema@.tenant_tables() t
        UNION SELECT t.target, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid),
    wanted AS (
        SELECT t.target, array_agg(t.oid) AS relations FROM tree t GROUP BY t.target
        UNION ALL SELECT c.oid::regclass, ARRAY[c.oid] FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = to_regnamespace('relygate_report'))
    SELECT w.target, 'not tried: ' || string_agg(format('%s calls %s, %s', c.place, c.function, c.reason), '; ' ORDER BY c.place, c.function::text)
      FROM wanted w CROSS JOIN LATERAL @extschema@.stored_code(w.relations) c GROUP BY w.target;
END $$;
COMMENT ON FUNCTION @extschema@.untried_relations() IS
'Tables of tenants and reporting views with code that a superuser must not run, and which it is. Callers: prove_isolation.';
REVOKE ALL ON FUNCTION @extschema@.untried_relations() FROM PUBLIC;

CREATE FUNCTION @extschema@.scratch_id(target regclass, tenant uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SECURITY INVOKER
AS $$ SELECT pg_catalog.md5(target::pg_catalog.oid::pg_catalog.text || tenant::pg_catalog.text)::pg_catalog.uuid $$;
COMMENT ON FUNCTION @extschema@.scratch_id(regclass, uuid) IS
'The id of a scratch tenant''s row in a table: it follows from both, so rows name each other without being looked for.';
REVOKE ALL ON FUNCTION @extschema@.scratch_id(regclass, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.scratch_value(target regclass, attribute smallint, tenant uuid) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    wanted pg_attribute;
    base regtype;
    referenced regclass;
    -- @plpgsql_check_options: security_warnings = off
    checks text;    -- a table's own, as pg_get_expr() has them
    word text;
    fits boolean;
BEGIN
    SELECT a.* INTO wanted FROM pg_attribute a WHERE a.attrelid = target AND a.attnum = attribute;
    SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END INTO base FROM pg_type t WHERE t.oid = wanted.atttypid;
    IF base = 'uuid'::regtype THEN
        SELECT k.confrelid INTO referenced FROM pg_constraint k JOIN pg_attribute r ON r.attrelid = k.confrelid
           AND r.attnum = k.confkey[array_position(k.conkey, attribute)]
         WHERE k.contype = 'f' AND k.conrelid = target AND attribute = ANY (k.conkey) AND r.attname = 'id' LIMIT 1;
        RETURN @extschema@.scratch_id(coalesce(referenced, target), tenant);
    END IF;
    -- The first value that the type and the checks of this column alone take: a tenant's own, what the product's columns ask for,
    -- what the checks name.
    SELECT coalesce(string_agg(format('(%s) IS NOT FALSE', pg_get_expr(k.conbin, k.conrelid)), ' AND '), 'true') INTO checks
      FROM pg_constraint k WHERE k.conrelid = target AND k.contype = 'c' AND k.conkey = ARRAY[attribute]
       -- Read again as text, a name that is not the product's may be found to be another function.
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = k.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
                          AND NOT EXISTS (SELECT FROM pg_depend e JOIN pg_extension x ON e.refclassid = 'pg_extension'::regclass AND x.oid = e.refobjid AND x.extname = 'relygate'
                                           WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'));
    FOR word IN
        SELECT w FROM unnest(ARRAY[upper(left(replace(tenant::text, '-', ''), 20)),
            '+91984' || lpad((abs(hashtext(tenant::text)) % 10000000)::text, 7, '0')]) AS w WHERE base = 'text'::regtype
        UNION ALL SELECT '\x' || repeat(replace(tenant::text, '-', ''), times) FROM generate_series(2, 1, -1) AS times WHERE base = 'bytea'::regtype
        UNION ALL SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = base
        UNION ALL SELECT w FROM unnest(ARRAY['1', '200', 'true', 'now', '[1,2)', '[]', '{}', '1 day', '127.0.0.1', 'scratch', 'pending', 'school',
            'active', 'building', 'both', 'employee', 'visit', 'unregistered', 'scratch.read', '$y$', 'x@example.org', 'Asia/Kolkata',
            'IN', 'passport', 'Scratch', 'x', '']) AS w
        UNION ALL SELECT m[1] FROM pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([^'']*)''', 'g') AS m
                   WHERE k.contypid = wanted.atttypid OR k.conrelid = target AND attribute = ANY (k.conkey)
    LOOP
        BEGIN
            EXECUTE format('SELECT %4$I IS NOT NULL AND %1$s FROM (SELECT %2$L::%3$s AS %4$I) AS row', checks, word,
                           format_type(wanted.atttypid, wanted.atttypmod), wanted.attname)
               INTO fits;
            IF fits THEN
                RETURN word;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL;   -- not of this type, or refused by the domain
        END;
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.scratch_value(regclass, smallint, uuid) IS
'A value that a column of a scratch tenant''s row may have, NULL if none was found. Callers: scratch_row.';
REVOKE ALL ON FUNCTION @extschema@.scratch_value(regclass, smallint, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.scratch_row(target regclass, tenant_column name, tenant uuid, made_for uuid) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    names text;
    filled text;
BEGIN
    -- Columns that need a value; those of keys that forget the tenant, to see them clash; and those whose default counts, since
    -- a sequence does not come back with a rollback.
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
           string_agg(CASE WHEN a.attname = tenant_column THEN quote_literal(tenant)
                           ELSE coalesce(quote_literal(@extschema@.scratch_value(target, a.attnum, made_for)), 'DEFAULT') END,
                      ', ' ORDER BY a.attnum) INTO names, filled
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND (a.attname IN (tenant_column, 'id') OR a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%'
            OR d.oid IS NULL AND (a.attnotnull OR t.typnotnull)
            OR EXISTS (SELECT FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0]
                        WHERE i.indrelid = target AND i.indisunique AND a.attnum = ANY (i.indkey) AND k.attname <> tenant_column));
    RETURN format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)', target, names, filled);
END $$;
COMMENT ON FUNCTION @extschema@.scratch_row(regclass, name, uuid, uuid) IS
'The INSERT of a scratch tenant''s row into any table of tenants, with the values made for that or for another tenant. Callers: '
'prove_isolation.';
REVOKE ALL ON FUNCTION @extschema@.scratch_row(regclass, name, uuid, uuid) FROM PUBLIC;

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
        -- First the locks: what a table runs cannot be changed any more between the look at it and the rows.
        FOR item IN SELECT t.target FROM @extschema@.tenant_tables() t LOOP
            EXECUTE format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', item.target);
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
