-- Attacks on isolation that one session can make (numbers of docs/isolation.md; defences: test/mutation), and the
-- cases rls-001, 009, 011, 012, 013, 017. The session may choose and its lifetime is the session's, so it can be both tenants.
BEGIN;
SELECT plan(44);

-- Some tenant, so that the rows can be made even where plans keep the context that they were made in (attack 10).
SELECT set_config('app.tenant_id', '00000000-0000-7000-8000-000000000000', true) AS ignored \gset
SELECT id AS south FROM relygate.create_tenant('I_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
SELECT test.act_as(:'south');
SELECT visitor__id AS south_visitor
  FROM relygate.create_visit(visitor__first_name => 'Omar', visitor__mobile => '+919845012399', purpose => 'Meeting') \gset
SELECT visitor__id AS south_second FROM relygate.create_visit(visitor__first_name => 'Layla', visitor__mobile => '+971501234567', purpose => 'Meeting') \gset
SELECT id AS south_gate FROM relygate.create_gate('Pier') \gset
SELECT id AS south_host FROM relygate.create_host(kind => 'employee', first_name => 'Noor') \gset
SELECT id AS south_purpose FROM relygate.purposes ORDER BY name LIMIT 1 \gset
RESET ROLE;
DISCARD PLANS;   -- where plans keep a tenant that is tested below; the rows must be there all the same
SELECT id AS north FROM relygate.create_tenant('I_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT test.act_as(:'north');
SELECT visitor__id AS north_visitor, id AS north_visit, site_id AS north_site
  FROM relygate.create_visit(visitor__first_name => 'Asha', visitor__mobile => '9845012311', purpose => 'Delivery') \gset
RESET ROLE;
DISCARD PLANS;

-- What an error tells: pgTAP looks at state and message only.
CREATE FUNCTION test.error_of(statement text, OUT state text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    state := 'none';
    message := '';
    detail := '';
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;
-- Rows of all tenants, as the superuser that the function's owner is: how a test knows that nothing changed.
CREATE FUNCTION test.rows_of(tenant uuid, target regclass) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s WHERE tenant_id = %L', target, tenant) INTO n;
    RETURN n;
END $$;
CREATE FUNCTION test.visitors_seen() RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT string_agg(first_name, ' ' ORDER BY first_name) FROM relygate.visitors $$;
-- Remembers what it is shown, at no cost that the planner could fear.
CREATE FUNCTION test.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    PERFORM set_config('test.leaked', coalesce(current_setting('test.leaked', true), '') || ' ' || coalesce(value, '-'), true);
    RETURN true;
END $$;

-- ... and two that fail for one value.
CREATE FUNCTION test.divide(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RETURN 1 / (CASE value WHEN 'Layla' THEN 0 ELSE 1 END) = 1; END $$;
CREATE FUNCTION test.number(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RETURN CASE value WHEN 'Layla' THEN value::int ELSE 1 END = 1; END $$;

-- Each section is undone at its end, so that none fails for what another has left behind where a defence is missing. (pgTAP counts by a
-- sequence.)

-- Attack 6: ROLLBACK TO brings the earlier value back.
SELECT test.act_as(:'north');
SAVEPOINT before;
SELECT set_config('app.tenant_id', :'south', true) AS ignored \gset
SELECT relygate.current_tenant() AS inside \gset
ROLLBACK TO before;
SELECT is(:'inside'::uuid, :'south', 'attack 6: inside the savepoint it is the tenant chosen there');
SELECT is(relygate.current_tenant(), :'north', 'attack 6: after ROLLBACK TO it is the earlier one [id-beside-value]');

SAVEPOINT section;
-- Attack 10, rls-013: one generic plan for both tenants and two roles.
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE direct AS SELECT string_agg(first_name, ' ' ORDER BY first_name) AS seen FROM relygate.visitors;
PREPARE below AS SELECT (SELECT string_agg(v.first_name, ' ' ORDER BY v.first_name) FROM (SELECT * FROM relygate.visitors) v) AS seen;
PREPARE common AS WITH v AS MATERIALIZED (SELECT * FROM relygate.visitors) SELECT string_agg(first_name, ' ' ORDER BY first_name) AS seen FROM v;
PREPARE called AS SELECT test.visitors_seen() AS seen;
PREPARE bare AS SELECT relygate.current_tenant() AS seen;
SELECT test.act_as(:'north', 'relygate_api');
EXECUTE direct \gset s0_direct_
EXECUTE below \gset s0_below_
EXECUTE common \gset s0_common_
EXECUTE called \gset s0_called_
EXECUTE bare \gset s0_bare_
SELECT is(ARRAY[:'s0_direct_seen', :'s0_below_seen', :'s0_common_seen', :'s0_called_seen', :'s0_bare_seen'],
    ARRAY['Asha', 'Asha', 'Asha', 'Asha', :'north'], 'attack 10, rls-013: relygate_api sees north''s own, by the same plan');
SELECT test.act_as(:'south', 'relygate_api');
EXECUTE direct \gset s1_direct_
EXECUTE below \gset s1_below_
EXECUTE common \gset s1_common_
EXECUTE called \gset s1_called_
EXECUTE bare \gset s1_bare_
SELECT is(ARRAY[:'s1_direct_seen', :'s1_below_seen', :'s1_common_seen', :'s1_called_seen', :'s1_bare_seen'],
    ARRAY['Layla Omar', 'Layla Omar', 'Layla Omar', 'Layla Omar', :'south'], 'attack 10, rls-013: relygate_api sees south''s own, by the same plan [stable]');
SELECT test.act_as(:'north', 'relygate_owner');
EXECUTE direct \gset s2_direct_
EXECUTE below \gset s2_below_
EXECUTE common \gset s2_common_
EXECUTE called \gset s2_called_
EXECUTE bare \gset s2_bare_
SELECT is(ARRAY[:'s2_direct_seen', :'s2_below_seen', :'s2_common_seen', :'s2_called_seen', :'s2_bare_seen'],
    ARRAY['Asha', 'Asha', 'Asha', 'Asha', :'north'], 'attack 10, rls-013: relygate_owner sees north''s own, by the same plan [force]');
SELECT test.act_as(:'south', 'relygate_owner');
EXECUTE direct \gset s3_direct_
EXECUTE below \gset s3_below_
EXECUTE common \gset s3_common_
EXECUTE called \gset s3_called_
EXECUTE bare \gset s3_bare_
SELECT is(ARRAY[:'s3_direct_seen', :'s3_below_seen', :'s3_common_seen', :'s3_called_seen', :'s3_bare_seen'],
    ARRAY['Layla Omar', 'Layla Omar', 'Layla Omar', 'Layla Omar', :'south'], 'attack 10, rls-013: relygate_owner sees south''s own, by the same plan [stable, force]');
SELECT cmp_ok((SELECT min(generic_plans) FROM pg_prepared_statements WHERE name IN ('direct', 'below', 'common', 'bare')), '>=', 4::bigint,
    'attack 10: ... which was a generic one each time');
RESET plan_cache_mode;

ROLLBACK TO section;

-- Attack 12: writing for the other tenant.
SELECT test.act_as(:'north');
SELECT test.rows_of(:'south', 'relygate.purposes') AS south_purposes, test.rows_of(:'north', 'relygate.purposes') AS north_purposes \gset
SELECT throws_ok(format($$ INSERT INTO relygate.purposes (tenant_id, kind, name) VALUES (%L, 'visit', 'Forged') $$, :'south'), '42501', NULL,
    'attack 12: INSERT for the other tenant [with-check, with-check-and-using]');
SELECT throws_ok(format($$ INSERT INTO relygate.purposes (tenant_id, id, kind, name) VALUES (%L, gen_random_uuid(), 'visit', 'Forged')
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = 'Forged' $$, :'south'), '42501', NULL, 'attack 12: UPSERT for the other tenant [with-check-and-using]');
SELECT throws_ok(format($$ INSERT INTO relygate.purposes (tenant_id, id, kind, name) VALUES (%L, %L, 'visit', 'Forged')
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = 'Forged' $$, :'south', :'south_purpose'), '42501', NULL,
    'attack 12: UPSERT over a row of the other tenant [with-check-and-using]');
SELECT throws_ok(format($$ MERGE INTO relygate.purposes p USING (VALUES (1)) AS v (i) ON p.name = 'Forged'
    WHEN NOT MATCHED THEN INSERT (tenant_id, kind, name) VALUES (%L, 'visit', 'Forged') $$, :'south'), '42501', NULL,
    'attack 12: MERGE for the other tenant [with-check, with-check-and-using]');
SELECT throws_ok(format('UPDATE relygate.visitors SET tenant_id = %L', :'south'), '42501', NULL, 'attack 12, rls-017: moving a row [with-check, row-level-security]');
SELECT throws_ok(format('UPDATE relygate.purposes SET tenant_id = %L', :'south'), '42501', NULL, 'attack 12: ... of another table [with-check, with-check-and-using]');
SELECT * FROM test.error_of(format($$ UPDATE relygate.purposes SET name = 'Forged' WHERE id = %L $$, :'south_purpose')) \gset forged_
SELECT * FROM test.error_of(format($$ DELETE FROM relygate.purposes WHERE tenant_id = %L AND name <> 'Forged' $$, :'south')) \gset deleted_
SELECT is(ARRAY[test.rows_of(:'south', 'relygate.purposes'), test.rows_of(:'north', 'relygate.purposes')],
    ARRAY[:south_purposes, :north_purposes]::bigint[], 'attack 12: nothing was written anywhere [with-check, with-check-and-using]');
SELECT test.act_as(:'south');
SELECT is((SELECT count(*) FROM relygate.purposes WHERE tenant_id = :'south' AND name = 'Forged'), 0::bigint, 'attack 12: the other tenant''s rows are as they were [with-check, with-check-and-using]');

ROLLBACK TO section;

-- Attack 13, rls-009: what the other tenant has, a key does not tell.
SELECT test.act_as(:'north');
SELECT lives_ok($$ SELECT relygate.create_visit(visitor__first_name => 'Omar', visitor__mobile => '9845012399', purpose => 'Delivery') $$,
    'attack 13, rls-009: a mobile that the other tenant has [tenant-in-unique-keys]');
SELECT lives_ok($$ INSERT INTO relygate.visitors (visitor_type, first_name, mobile, registration_no) VALUES ('registered', 'Ravi', '+919845012388', 'N1') $$,
    'attack 13: a registered visitor');
DISCARD PLANS;
SELECT test.act_as(:'south');
SELECT lives_ok($$ INSERT INTO relygate.visitors (visitor_type, first_name, mobile, registration_no) VALUES ('registered', 'Ravi', '+919845012388', 'N1') $$,
    'attack 13: ... and the same one, mobile and number, for the other tenant [tenant-in-unique-keys]');
SELECT test.act_as(:'north');
DISCARD PLANS;
SELECT lives_ok(format($$ INSERT INTO relygate.visitors (id, first_name) VALUES (%L, 'Tara') $$, :'south_visitor'),
    'rls-009: a key (id) that the other tenant has [tenant-in-foreign-keys]');
SELECT * FROM test.error_of($$ INSERT INTO relygate.visitors (visitor_type, first_name, mobile, registration_no)
    VALUES ('registered', 'Ravi', '+919845012388', 'N2') $$) \gset duplicate_
SELECT is(:'duplicate_state'::text, '23505', 'attack 13: a duplicate in the own tenant is refused');
SELECT unalike(:'duplicate_message' || :'duplicate_detail', '%9845012388%', 'attack 13: ... without showing a value [row-level-security]');

ROLLBACK TO section;

-- Attack 14, rls-009: a row that names a row of the other tenant.
SELECT * FROM test.error_of(format(
    $$ INSERT INTO relygate.visits (site_id, visitor_id, state) VALUES (%L, %L, 'checked_in') $$, :'north_site', :'south_second')) \gset foreign_
SELECT * FROM test.error_of(format(
    $$ INSERT INTO relygate.visits (site_id, visitor_id, state) VALUES (%L, gen_random_uuid(), 'checked_in') $$, :'north_site')) \gset unknown_
SELECT is(:'foreign_state'::text, '23503', 'attack 14: a visit names the other tenant''s visitor [tenant-in-foreign-keys]');
SELECT is(:'foreign_message' || :'foreign_detail', :'unknown_message' || :'unknown_detail', 'attack 14: ... and is told what an unknown one is told [tenant-in-foreign-keys, row-level-security-of-visits]');
SELECT unalike(:'foreign_message' || :'foreign_detail', '%' || :'south_second' || '%', 'attack 14: ... without the id [row-level-security-of-visits]');
SELECT throws_ok(format($$ UPDATE relygate.visits SET host_id = %L WHERE id = %L $$, :'south_host', :'north_visit'), '23503', NULL,
    'rls-009: a visit names the other tenant''s host [tenant-in-foreign-keys]');
SELECT throws_ok(format($$ UPDATE relygate.visits SET gate_in_id = %L WHERE id = %L $$, :'south_gate', :'north_visit'), '23503', NULL,
    'attack 14: a visit names the other tenant''s gate [tenant-in-foreign-keys]');

ROLLBACK TO section;

-- Attack 16, rls-012: a cheap function that tells what it sees, before the policy has spoken.
SET LOCAL enable_indexscan = off;   -- an index condition on tenant_id would come first in any case
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_indexonlyscan = off;
SELECT ARRAY(SELECT first_name::text FROM relygate.visitors ORDER BY 1) AS own \gset
SELECT count(*) AS ignored FROM relygate.visitors WHERE test.leak(first_name) \gset
SELECT is(ARRAY(SELECT w FROM unnest(string_to_array(trim(current_setting('test.leaked')), ' ')) AS w ORDER BY 1), :'own',
    'attack 16, rls-012: a leaking function sees the own rows [row-level-security]');
SELECT set_config('test.leaked', '', true) AS ignored \gset
SELECT count(*) AS ignored FROM generate_series(1, 2) g LEFT JOIN relygate.visitors p ON test.leak(p.first_name) \gset
SELECT unalike(current_setting('test.leaked'), '%Layla%', 'attack 16: ... in a join as well [row-level-security]');
SELECT lives_ok($$ SELECT count(*) FROM relygate.visitors WHERE test.divide(first_name) $$,
    'attack 16: no division by zero for a row of the other tenant [row-level-security]');
SELECT unalike((SELECT message FROM test.error_of($$ SELECT count(*) FROM relygate.visitors WHERE test.number(first_name) $$)), '%Layla%',
    'attack 16: no cast shows a value of the other tenant [row-level-security]');

RESET enable_indexscan;
RESET enable_bitmapscan;
RESET enable_indexonlyscan;

ROLLBACK TO section;

-- Attack 18: one more permissive policy.
RESET ROLE;
ALTER EVENT TRIGGER relygate_guard_ddl DISABLE;
CREATE POLICY open ON relygate.visitors USING (true) WITH CHECK (true);
CREATE POLICY open ON relygate.visits USING (true) WITH CHECK (true);
CREATE POLICY open ON relygate.audit_log USING (true) WITH CHECK (true);   -- it would refuse a row of another tenant as well
SELECT test.act_as(:'north');
SELECT is((SELECT count(*) FROM relygate.visitors WHERE tenant_id <> :'north'), 0::bigint, 'attack 18: beside an open policy one sees the own rows [restrictive]');
SELECT is((SELECT count(*) FROM relygate.visits WHERE tenant_id = :'north'), 1::bigint, 'attack 18: ... all of them');
SELECT throws_ok(format($$ INSERT INTO relygate.visitors (tenant_id, first_name) VALUES (%L, 'Forged') $$, :'south'), '42501', NULL,
    'attack 18: ... and writes no others [restrictive, with-check]');
RESET ROLE;
SELECT isnt_empty($$ SELECT FROM relygate.validate_schema() WHERE object = 'relygate.visits.open' $$, 'attack 18: validate_schema finds it [validate-schema]');
ROLLBACK TO section;
SELECT test.act_as(NULL);
SELECT throws_ok('SELECT count(*) FROM relygate.visitors', 'RG401', 'no tenant context', 'attack 1: without a context, an error [no-context-error]');

ROLLBACK TO section;

-- rls-001: the owner of the tables is held, too.
SELECT test.act_as(:'north', 'relygate_owner');
SELECT is_empty(format($$ SELECT c.oid::regclass FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    CROSS JOIN LATERAL (SELECT (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %%s WHERE %%I <> %%L', c.oid::regclass,
        CASE WHEN c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END, %L), true, true, '')))[1]::text::int AS others) o
    WHERE t.tgname = 'relygate_no_truncate' AND c.relname NOT IN ('audit_log', 'audit_seals') AND o.others > 0 $$, :'north'),
    'rls-001: the owner sees no row of the other tenant in any table [force, with-check-and-using, row-level-security-of-visits]');
SELECT is((SELECT count(*) FROM relygate.visitors WHERE tenant_id = :'north'), 1::bigint, 'rls-001: ... and its own');

ROLLBACK TO section;

-- rls-017: rows of nobody.
SELECT test.act_as(:'north');
SELECT throws_ok($$ INSERT INTO relygate.purposes (tenant_id, kind, name) VALUES (NULL, 'visit', 'X') $$, NULL, NULL, 'rls-017: no row without a tenant [tenant-not-null-and-audit]');
SELECT throws_ok($$ UPDATE relygate.purposes SET tenant_id = NULL $$, NULL, NULL, 'rls-017: ... and none loses it [tenant-not-null-and-audit]');
SELECT lives_ok($$ UPDATE relygate.purposes SET tenant_id = tenant_id $$, 'rls-017: the own tenant is no change');
SELECT is_empty($$ SELECT a.attrelid::regclass FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attname = 'tenant_id'
    WHERE t.tgname = 'relygate_no_truncate' AND NOT a.attnotnull $$, 'rls-017: tenant_id is NOT NULL everywhere [tenant-not-null, tenant-not-null-and-audit]');

ROLLBACK TO section;

-- rls-011: the context is asked for once a policy, not once a row.
RESET ROLE;
CREATE TABLE relygate.many (tenant_id uuid NOT NULL DEFAULT relygate.current_tenant(), id int NOT NULL, PRIMARY KEY (tenant_id, id));
GRANT SELECT, INSERT ON relygate.many TO relygate_api;
SELECT relygate.protect_table('relygate.many');
INSERT INTO relygate.many SELECT CASE i % 2 WHEN 0 THEN :'north'::uuid ELSE :'south'::uuid END, i FROM generate_series(1, 100000) i;
CREATE FUNCTION test.asked() RETURNS bigint LANGUAGE sql AS
    $$ SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_xact_user_functions WHERE funcid = 'relygate.current_tenant()'::regprocedure $$;
SET LOCAL track_functions = 'all';
SELECT test.act_as(:'north');
SET LOCAL enable_indexscan = off;     -- a function in an index condition is called once in any case
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_indexonlyscan = off;
SELECT test.asked() AS before \gset
SELECT count(*) AS seen FROM relygate.many \gset
SELECT test.asked() - :before AS scan \gset
RESET enable_indexscan;
RESET enable_bitmapscan;
RESET enable_indexonlyscan;
SELECT test.asked() AS before \gset
SELECT count(*) AS found FROM relygate.many WHERE tenant_id = :'north' AND id BETWEEN 10 AND 1000 \gset
SELECT test.asked() - :before AS point \gset
SELECT test.asked() AS before \gset
INSERT INTO relygate.many SELECT :'north', i FROM generate_series(200001, 300000) i;
SELECT test.asked() - :before AS write \gset
SELECT is(ARRAY[:seen, :found], ARRAY[50000, 496], 'rls-011: the own rows');
SELECT ok(:scan BETWEEN 1 AND 2 AND :point BETWEEN 1 AND 2, 'rls-011: two calls at most for a scan and for a look-up of 50,000 rows [sub-select]');
SELECT ok(:write BETWEEN 1 AND 2, 'rls-011: ... and for an INSERT of 100,000 [sub-select]');

SELECT * FROM finish();
ROLLBACK;
