-- The guard, validate_schema, protect_table and search: what keeps a table protected, and what finds it when it is not.
BEGIN;
SELECT plan(51);

-- Attack 21: the owner opens a table.
SET LOCAL ROLE relygate_owner;
SELECT throws_ok('ALTER TABLE relygate.visits NO FORCE ROW LEVEL SECURITY', '42501', 'this would open the protected table relygate.visits', 'NO FORCE [guard-of-changes]');
SELECT throws_ok('ALTER TABLE relygate.visits DISABLE ROW LEVEL SECURITY', '42501', NULL, 'DISABLE ROW LEVEL SECURITY [guard-of-changes]');
SELECT throws_ok('DROP POLICY tenant ON relygate.visits', '42501', NULL, 'DROP POLICY tenant [guard-of-drops]');
SELECT throws_ok('DROP POLICY base ON relygate.visits', '42501', NULL, 'DROP POLICY base [guard-of-drops]');
SELECT throws_ok('ALTER POLICY tenant ON relygate.visits USING (true)', '42501', NULL, 'ALTER POLICY: USING [guard-of-changes]');
SELECT throws_ok('ALTER POLICY tenant ON relygate.visits WITH CHECK (true)', '42501', NULL, 'ALTER POLICY: WITH CHECK [guard-of-changes]');
SELECT throws_ok('ALTER POLICY base ON relygate.visits USING (true)', '42501', NULL, 'ALTER POLICY base [guard-of-changes]');
SELECT throws_ok('ALTER POLICY tenant ON relygate.visits TO relygate_api', '42501', NULL, 'ALTER POLICY: for one role only [guard-of-changes]');
SELECT throws_ok('ALTER POLICY tenant ON relygate.visits RENAME TO other', '42501', NULL, 'ALTER POLICY: RENAME [guard-of-changes]');
SELECT throws_ok('ALTER TABLE relygate.visits DISABLE TRIGGER audit', '42501', NULL, 'DISABLE TRIGGER [guard-of-changes]');
SELECT throws_ok('ALTER TABLE relygate.visits ENABLE REPLICA TRIGGER state', '42501', NULL, 'ENABLE REPLICA TRIGGER [guard-of-changes]');
SELECT throws_ok('DROP TRIGGER relygate_no_truncate ON relygate.visits', '42501', NULL, 'DROP TRIGGER relygate_no_truncate [guard-of-drops]');
SELECT throws_ok('DROP TRIGGER audit ON relygate.visits', '42501', NULL, 'DROP TRIGGER audit [guard-of-drops]');
SELECT throws_ok('ALTER TRIGGER relygate_no_truncate ON relygate.visits RENAME TO other', '42501', NULL, 'under another name the mark could be dropped [guard-of-changes]');
SELECT throws_ok('ALTER TRIGGER audit ON relygate.visits RENAME TO other', '42501', NULL, '... and the audit [guard-of-changes]');
SELECT throws_ok('CREATE OR REPLACE TRIGGER relygate_no_truncate BEFORE TRUNCATE ON relygate.visits
    EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()', '42501', NULL, 'another function in place of the mark [guard-of-changes]');
SELECT throws_ok('CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.visits FOR EACH ROW
    EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()', '42501', NULL, '... of the audit [guard-of-changes]');
SAVEPOINT parent;
ALTER TABLE relygate_global.routes DROP method CASCADE, DROP pattern, DROP function, DROP permission, DROP answer, DROP status, DROP location,
    DROP message, DROP required, DROP one_of, DROP read_only, DROP lane, DROP body_limit, DROP while_suspended,
    ADD tenant_id uuid NOT NULL;
SELECT throws_ok('ALTER TABLE relygate.visits INHERIT relygate_global.routes', '42501', NULL, 'rows asked for through a parent [guard-of-changes]');
ROLLBACK TO parent;
SELECT throws_ok('ALTER TABLE relygate.visits RENAME COLUMN tenant_id TO tenant', '42501', NULL, 'another name for tenant_id [guard-of-changes]');
SELECT throws_ok('ALTER TABLE relygate.visits DROP COLUMN tenant_id CASCADE', '42501', NULL, 'no tenant_id [guard-of-changes]');
SELECT lives_ok('ALTER TABLE relygate.visits ADD COLUMN extra text', 'a new column is no harm');
SELECT lives_ok('ALTER TABLE relygate.visits DROP COLUMN extra', '... and may go again');
SELECT lives_ok('DROP TRIGGER touch ON relygate.purposes', 'a trigger that protects nothing may go');
RESET ROLE;
SELECT throws_ok('ALTER TABLE relygate.visits DISABLE TRIGGER audit', '42501', NULL, 'a superuser disables one trigger [guard-of-changes]');
SELECT throws_ok('DROP TRIGGER append_only ON relygate.audit_log', '42501', NULL, '... or drops what keeps the audit log [guard-of-drops]');
SELECT throws_ok('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE ON relygate.audit_log FOR EACH ROW EXECUTE FUNCTION relygate.refuse_audit_change()',
    '42501', NULL, '... or lets it refuse less [guard-of-changes]');
SELECT lives_ok('ALTER TABLE relygate.purposes DISABLE TRIGGER ALL', 'a superuser restores data only, as pg_restore --disable-triggers does');
SELECT isnt_empty($$ SELECT FROM relygate.validate_schema() WHERE object = 'relygate.purposes' AND finding ~ 'disabled' $$, '... and validate_schema says so meanwhile');
SELECT lives_ok('ALTER TABLE relygate.purposes ENABLE TRIGGER ALL', '... and back');
SET LOCAL search_path = relygate, tap, test;
SELECT lives_ok('ALTER TABLE visits ADD COLUMN extra text', 'whatever the search path is');
SELECT throws_ok('ALTER POLICY base ON visits USING (true)', '42501', NULL, '... the guard looks at the same [guard-of-changes]');
RESET search_path;
SET LOCAL search_path = tap, test;
CREATE TABLE test.others (i int);
GRANT CREATE ON SCHEMA test TO pg_monitor;
ALTER TABLE test.others OWNER TO pg_monitor;
SET LOCAL ROLE pg_monitor;
SELECT lives_ok('ALTER TABLE test.others ADD COLUMN j int', 'a role without any right of ours alters its own table');
RESET ROLE;

-- protect_table
SELECT is_empty('SELECT * FROM relygate.validate_schema()', 'nothing is wrong to begin with');
CREATE TABLE relygate.things (tenant_id uuid DEFAULT relygate.current_tenant(), id int);
SELECT throws_ok('SELECT relygate.protect_table(''relygate.things'')', '42P16', NULL, 'a tenant_id that may be NULL');
SELECT results_eq($$ SELECT finding FROM relygate.validate_schema() WHERE object = 'relygate.things' $$, ARRAY['the table is not protected'], 'an unprotected table is found');
ALTER TABLE relygate.things ALTER tenant_id SET NOT NULL;
SELECT lives_ok('SELECT relygate.protect_table(''relygate.things'')', 'now it is protected');
SELECT is_empty('SELECT * FROM relygate.validate_schema()', '... and nothing is wrong');

-- validate_schema
CREATE FUNCTION test.findings() RETURNS text[] LANGUAGE sql AS 
    $$ SELECT array_agg(object || ': ' || finding ORDER BY object || ': ' || finding COLLATE "C") FROM relygate.validate_schema() $$;
CREATE UNIQUE INDEX things_id ON relygate.things (id);
SELECT is(test.findings(), ARRAY['relygate.things_id: a key does not begin with tenant_id'], 'a key without the tenant');
CREATE TABLE relygate.parts (tenant_id uuid NOT NULL, thing int REFERENCES relygate.things (id));
SELECT relygate.protect_table('relygate.parts');
SELECT ok('relygate.parts.parts_thing_fkey: a foreign key does not carry tenant_id' = ANY (test.findings()), 'a foreign key without the tenant');
DROP TABLE relygate.parts;
DROP INDEX relygate.things_id;
CREATE TYPE test.state AS ENUM ('a', 'b');
ALTER TABLE relygate.things ADD COLUMN state test.state;
CREATE INDEX ON relygate.things (tenant_id, state);
GRANT TRUNCATE ON relygate.things TO relygate_api;
CREATE VIEW relygate_report.things AS SELECT * FROM relygate.things;
CREATE MATERIALIZED VIEW relygate_report.kept AS SELECT 1 AS i;
CREATE FUNCTION relygate.loose() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
SELECT is(test.findings(), ARRAY['relygate.loose(): a SECURITY DEFINER function whose owner no policy holds',
    'relygate.loose(): a SECURITY DEFINER function without a fixed search_path', 'relygate.loose(): everybody may call this function',
    'relygate.things.state: an index over type test.state', 'relygate.things: TRUNCATE is granted to relygate_api',
    'relygate_report.kept: a materialized view', 'relygate_report.things: a view with the rights of its owner'], 'each finding has its name');
DROP FUNCTION relygate.loose();
DROP MATERIALIZED VIEW relygate_report.kept;
DROP TABLE relygate.things CASCADE;

-- contains: right for every term, and by the index under row-level security
SELECT id AS north FROM relygate.create_tenant('T_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
CREATE TABLE relygate.names (tenant_id uuid NOT NULL DEFAULT relygate.current_tenant(), id int NOT NULL, name text COLLATE "C", PRIMARY KEY (tenant_id, id));
GRANT ALL ON relygate.names TO relygate_api;
REVOKE TRUNCATE, REFERENCES, TRIGGER ON relygate.names FROM relygate_api;
SELECT relygate.protect_table('relygate.names');
INSERT INTO relygate.names SELECT CASE i % 2 WHEN 0 THEN :'north'::uuid ELSE '00000000-0000-7000-8000-000000000001' END, i, md5(i::text) FROM generate_series(1, 6000) i;
INSERT INTO relygate.names VALUES (:'north', 6001, 'per%cent'), (:'north', 6002, 'under_score'), (:'north', 6003, 'back\slash'), (:'north', 6004, 'çağrı öz'),
    (:'north', 6005, ''), (:'north', 6006, NULL), (:'north', 6007, '山田 太郎'), (:'north', 6008, 'straße ab');
CREATE INDEX names_search ON relygate.names USING gin (tenant_id, name public.gin_trgm_ops);
ANALYZE relygate.names;
CREATE FUNCTION test.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    whole text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || statement LOOP
        whole := whole || line || E'\n';
    END LOOP;
    RETURN whole;
END $$;
SELECT ok((SELECT proleakproof FROM pg_proc WHERE oid = 'relygate.contains(text, text)'::regprocedure), 'contains is leakproof');
SELECT test.act_as(:'north');
SELECT matches(test.plan_of($$ SELECT * FROM relygate.names WHERE relygate.contains(name, 'c4ca4238') $$), E'Index Scan on names_search\n +Index Cond: .*name ~~\\*', 'a search uses the index');
SELECT matches(test.plan_of($$ SELECT * FROM relygate.names WHERE name OPERATOR(relygate.~@) 'c4ca4238' $$), E'Index Scan on names_search\n +Index Cond: .*name ~~\\*', '... by the operator, too');
SELECT unalike(test.plan_of($$ SELECT * FROM relygate.names WHERE name ILIKE '%c4ca4238%' $$), '%Index Cond:%name ~~%', '... which ILIKE cannot');
PREPARE search(text) AS SELECT array_agg(id ORDER BY id) FROM relygate.names WHERE relygate.contains(name, $1);
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT matches(test.plan_of($$ EXECUTE search('c4ca4238') $$), E'Index Scan on names_search\n +Index Cond: .*name ~~\\*', '... and so does a generic plan');
RESET plan_cache_mode;
RESET ROLE;
CREATE TABLE test.terms (term text);
INSERT INTO test.terms VALUES (''), ('a'), ('ab'), ('abc'), ('abcd'), ('%'), ('_'), ('\'), ('r%c'), ('r_s'), ('k\s'), ('ö'), ('öz'), ('ağr'), ('太'), ('田 太'), ('ß'),
    ('ße '), ('A'), ('ABC'), (' '), ('  '), ('c4ca4238a0b923820dcc509a6f75849b'), ('none of them');
GRANT SELECT ON test.terms TO PUBLIC;
SELECT test.act_as(:'north');
SET LOCAL enable_seqscan = off;
SELECT is_empty($$ SELECT t.term FROM test.terms t CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE relygate.contains(n.name, t.term)) AS found, count(*) FILTER (WHERE position(t.term IN n.name) > 0) AS there FROM relygate.names n) c
     WHERE c.found <> c.there $$, 'contains finds what position() finds');
SELECT is_empty($$ SELECT t.term FROM test.terms t
     WHERE (SELECT count(*) FROM relygate.names n WHERE relygate.contains(n.name, t.term)) <> (SELECT count(*) FROM relygate.names n WHERE position(t.term IN n.name) > 0) $$,
    '... by the index as well, short terms and patterns'' own characters among them');
SELECT matches(test.plan_of($$ SELECT t.term, (SELECT count(*) FROM relygate.names n WHERE relygate.contains(n.name, t.term)) FROM test.terms t $$), E'Index Scan on names_search\n +Index Cond: .*name ~~\\*', '... which was used');
SELECT is((SELECT count(*)::int FROM relygate.names WHERE relygate.contains(name, 'a')), (SELECT count(*)::int FROM relygate.names WHERE name LIKE '%a%'), 'one letter');
SELECT is((SELECT count(*)::int FROM relygate.names WHERE relygate.contains(name, NULL)), 0, 'NULL finds nothing');
SELECT is((SELECT count(*)::int FROM relygate.names WHERE relygate.contains(name, '')), 3007, 'the empty term finds the own rows');

SELECT * FROM finish();
ROLLBACK;
