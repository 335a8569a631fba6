-- protect_table, and search that reaches an index under row-level security.
BEGIN;
SELECT plan(16);

-- protect_table
SELECT is_empty('SELECT * FROM relygate.validate_schema()', 'nothing is wrong to begin with [whole]');
CREATE TABLE relygate.things (tenant_id uuid DEFAULT relygate.current_tenant(), id int);
SELECT throws_ok('SELECT relygate.protect_table(''relygate.things'')', '42P16', NULL, 'a tenant_id that may be NULL');
SELECT results_eq($$ SELECT finding FROM relygate.validate_schema() WHERE object = 'relygate.things' $$, ARRAY['the table is not protected'], 'an unprotected table is found');
ALTER TABLE relygate.things ALTER tenant_id SET NOT NULL;
SELECT lives_ok('SELECT relygate.protect_table(''relygate.things'')', 'now it is protected');
SELECT is_empty('SELECT * FROM relygate.validate_schema()', '... and nothing is wrong [whole]');

DROP TABLE relygate.things;

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
