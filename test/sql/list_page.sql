-- Sorted lists: every sort of every list, both ways, walked by cursor in pages of two, gives each row once and in the order of a
-- plain ORDER BY; rows without a time are the latest. An index serves the order and the place where a page begins, under the policies
-- and for a tenant with few rows beside one with many: counted are the rows that were read.
BEGIN;
SELECT plan(73);

SELECT id AS tiny FROM relygate.create_tenant('L_TINY', 'Tiny', 'office', 'Asia/Kolkata', 'IN') \gset
SELECT id FROM relygate.create_visit('Uma', visitor__mobile => '9845000001', purpose => 'Tour') \g /dev/null
SELECT id AS big FROM relygate.create_tenant('L_BIG', 'Big', 'residential', 'Asia/Kolkata', 'IN') \gset
SELECT test.act_as(:'big');
SELECT id AS site FROM relygate.list_sites() \gset
SELECT relygate.create_site(name) FROM unnest(ARRAY['Annexe', 'Zoo', 'Middle']) AS name \g /dev/null
SELECT relygate.create_gate(name, site_id => :'site') FROM unnest(ARRAY['North', 'East', 'West']) AS name \g /dev/null
SELECT relygate.create_location('building', name, site_id => :'site') FROM unnest(ARRAY['B', 'A', 'C']) AS name \g /dev/null
SELECT relygate.create_host('resident', first, last) FROM (VALUES ('Ravi', 'Zutshi'), ('Asha', 'Rao'), ('Asha', 'Iyer')) AS h (first, last) \g /dev/null
SELECT relygate.create_user(name, 'Gate-keeper-7431', 'receptionist') FROM unnest(ARRAY['zoe', 'Adam', 'mia']) AS name \g /dev/null
SELECT relygate.create_role(name, '{visits.read}') FROM unnest(ARRAY['Watchman', 'Clerk']) AS name \g /dev/null
SELECT relygate.create_visitor(name, visitor_type => 'unregistered', mobile => '98450' || 10000 + number)
  FROM unnest(ARRAY['Meera', 'Anil', 'Zara', 'Bela', 'Omar', 'Ira', 'Anil', 'Uma', 'Dev']) WITH ORDINALITY AS v (name, number) \g /dev/null
-- Three wait, three are inside, three have left; two of each have the same times.
INSERT INTO relygate.visits (site_id, visitor_id, state, requested_at, checked_in_at)
SELECT :'site', id, CASE WHEN number > 6 THEN 'pending' ELSE 'checked_in' END, '2026-11-25 10:00Z'::timestamptz + interval '1 h' * (number / 2),
       CASE WHEN number <= 6 THEN '2026-11-25 16:00Z'::timestamptz - interval '1 h' * (number / 2) END
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM relygate.visitors) v;
UPDATE relygate.visits v SET state = 'checked_out', checked_out_at = '2026-11-26 10:00Z'::timestamptz + interval '1 h' * (number / 2)
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM relygate.visits) n WHERE n.id = v.id AND number <= 3;

RESET ROLE;
-- The ids of a list, in pages of two.
CREATE FUNCTION test.walk(list text, sort text) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := '{}';
    page record;
    key text[];
BEGIN
    LOOP
        EXECUTE format('SELECT array_agg(l.id) AS ids, array_agg(l._cursor) AS keys FROM relygate.%I(page_limit => 2, sort => %L, after => $1) l', list, sort)
           INTO page USING key;
        EXIT WHEN page.ids IS NULL OR cardinality(ids) > 100;
        ids := ids || page.ids;
        key := ARRAY[page.keys[cardinality(page.ids)][1], page.keys[cardinality(page.ids)][2]];
    END LOOP;
    RETURN ids;
END $$;
CREATE FUNCTION test.plain(relation text, expression text, direction text) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    EXECUTE format('SELECT array_agg(id ORDER BY %2$s %3$s, id %3$s) FROM relygate.%1$I', relation, expression, direction) INTO ids;
    RETURN ids;
END $$;
GRANT EXECUTE ON FUNCTION test.walk, test.plain TO PUBLIC;
SELECT test.act_as(:'big');

SELECT is(test.walk('list_' || list, sign || word), test.plain(list, expression, CASE sign WHEN '-' THEN 'DESC' ELSE 'ASC' END),
          list || ' by ' || sign || word)
  FROM (VALUES ('visits', 'requestedAt', 'requested_at'), ('visits', 'checkedInAt', 'checked_in_at'), ('visits', 'checkedOutAt', 'checked_out_at'),
               ('visitors', 'name', 'search_name'), ('visitors', 'createdAt', 'created_at'),
               ('hosts', 'firstName', 'first_name'), ('hosts', 'name', 'search_name'), ('hosts', 'createdAt', 'created_at'),
               ('gates', 'name', 'name'), ('gates', 'createdAt', 'created_at'), ('sites', 'name', 'name'), ('sites', 'createdAt', 'created_at'),
               ('locations', 'name', 'name'), ('locations', 'createdAt', 'created_at'), ('users', 'userName', 'login_name'),
               ('users', 'createdAt', 'created_at'), ('roles', 'name', 'lower(name)'), ('roles', 'createdAt', 'created_at'),
               ('purposes', 'name', 'name'), ('purposes', 'createdAt', 'created_at'), ('purposes', 'position', '(kind, position, name)'),
               ('visitor_categories', 'name', 'name'), ('visitor_categories', 'createdAt', 'created_at'),
               ('visitor_categories', 'position', '(position, name)')) AS l (list, word, expression)
  CROSS JOIN (VALUES (''), ('-')) AS s (sign);
SELECT is(ARRAY(SELECT id FROM relygate.list_current_visits(sort => 'checkedInAt')), ARRAY(SELECT id FROM relygate.visits WHERE state = 'checked_in' ORDER BY checked_in_at, id),
          'who is inside, the first who came first');
SELECT is(ARRAY(SELECT id FROM relygate.list_visits()), ARRAY(SELECT id FROM relygate.visits ORDER BY requested_at DESC, id DESC), 'the order of before where none is asked for');
SELECT throws_ok($$ SELECT relygate.list_visits(sort => 'name') $$, 'RG400', 'list cannot be sorted by this', 'another word is refused');

-- Many rows beside few. Written as a dump would: no trigger is what is looked at here.
RESET ROLE;
SET LOCAL session_replication_role = replica;
INSERT INTO relygate.visitors (tenant_id, first_name, search_name, created_at)
SELECT :'big', 'Someone', 'someone ' || number % 50 || ' ' || number, '2026-01-01 00:00Z'::timestamptz + interval '1 min' * number FROM generate_series(1, 4000) AS number;
INSERT INTO relygate.visits (tenant_id, site_id, visitor_id, state, requested_at, checked_in_at, checked_out_at)
SELECT :'big', :'site', v.id, 'checked_out', v.created_at, v.created_at + interval '1 min', v.created_at + interval '2 min' FROM relygate.visitors v
 WHERE v.tenant_id = :'big' AND v.first_name = 'Someone';
SET LOCAL session_replication_role = origin;
ANALYZE relygate.visits, relygate.visitors;

CREATE FUNCTION test.rows_read(relation text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = ('relygate.' || relation)::regclass $$;
CREATE FUNCTION test.rows_read_by(relation text, list text, sort text, after text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before CONSTANT bigint := test.rows_read(relation);
    listed int;
BEGIN
    EXECUTE format('SELECT count(*) FROM relygate.%I(sort => %L, after => $1)', list, sort) INTO listed USING after;
    RETURN test.rows_read(relation) - before;
END $$;
GRANT EXECUTE ON FUNCTION test.rows_read, test.rows_read_by TO PUBLIC;
SELECT test.act_as(:'big');
-- A page of 21 is read twice, once for the order and once for the rows.
SELECT cmp_ok(test.rows_read_by(relation, 'list_' || relation, sort, after), '<=', 60::bigint,
              relation || ' by ' || sort || coalesce(' from ' || after[1], '') || ' reads a page')
  FROM (SELECT relation, sort, after FROM
          (VALUES ('visits', 'requestedAt', '2026-01-02T12:00:00Z'), ('visits', '-requestedAt', '2026-01-02T12:00:00Z'), ('visits', '-checkedInAt', '2026-01-02T12:00:00Z'),
                  ('visits', 'checkedInAt', '2026-01-02T12:00:00Z'), ('visits', '-checkedOutAt', ''), ('visits', 'checkedOutAt', '2026-01-02T12:00:00Z'),
                  ('visitors', 'name', 'someone 3'), ('visitors', '-name', 'someone 3'), ('visitors', 'createdAt', '2026-01-02T12:00:00Z'),
                  ('visitors', '-createdAt', '2026-01-02T12:00:00Z')) AS l (relation, sort, key)
         CROSS JOIN LATERAL (VALUES (NULL::text[]), (ARRAY[l.key, relygate.uuid_v7()::text])) AS a (after)) pages;
RESET ROLE;
SELECT test.act_as(:'tiny');
SELECT cmp_ok(test.rows_read_by('visits', 'list_visits', sort, NULL), '<=', 2::bigint, 'few rows are read for a tenant with few, by ' || sort)
  FROM unnest(ARRAY['checkedInAt', '-checkedOutAt']) AS sort;

SELECT * FROM finish();
ROLLBACK;
