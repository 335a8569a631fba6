-- The reporting views: stable names, described columns, one tenant's rows, days of the site, and nothing to write or to peek at.
BEGIN;
SELECT plan(30);

SELECT id AS south FROM relygate.create_tenant('R_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
INSERT INTO relygate.visitors (tenant_id, first_name) VALUES (:'south', 'Omar') RETURNING id AS foreign_visitor \gset
INSERT INTO relygate.visits (tenant_id, site_id, visitor_id, state)
SELECT :'south', s.id, :'foreign_visitor', 'checked_in' FROM relygate.sites s WHERE s.tenant_id = :'south' RETURNING id AS foreign_visit \gset

SELECT id AS north FROM relygate.create_tenant('R_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT test.act_as(:'north');
SELECT id AS site FROM relygate.sites \gset
SELECT id AS purpose FROM relygate.purposes WHERE kind = 'visit' ORDER BY name LIMIT 1 \gset
INSERT INTO relygate.gates (site_id, name) VALUES (:'site', 'Front') RETURNING id AS gate \gset
INSERT INTO relygate.hosts (kind, first_name, last_name) VALUES ('employee', 'Meera', 'Iyer') RETURNING id AS host \gset
INSERT INTO relygate.visitors (first_name, last_name, mobile) VALUES ('Asha', 'Menon', '9845012367') RETURNING id AS asha \gset
INSERT INTO relygate.visitors (first_name) VALUES ('Ravi') RETURNING id AS ravi \gset
INSERT INTO relygate.visits (site_id, visitor_id, state, group_size, purpose, gate_in_id, host_id, requested_at)
VALUES (:'site', :'asha', 'checked_in', 3, 'Parcel', :'gate', :'host', '2026-11-24T18:30:00Z') RETURNING id AS visit \gset
INSERT INTO relygate.visits (site_id, visitor_id, state, purpose_id, requested_at)
VALUES (:'site', :'ravi', 'checked_in', :'purpose', '2026-11-24T18:29:59Z') RETURNING id AS second \gset
UPDATE relygate.sites SET capacity = 10;

RESET ROLE;
CREATE FUNCTION test.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END $$;
GRANT EXECUTE ON FUNCTION test.plan_of(text) TO PUBLIC;

-- What a reporting login may
SELECT test.act_as(:'north', 'relygate_reporting');
SELECT is((SELECT count(*)::int FROM relygate_report.visits), 2, 'visits of the tenant alone');
SELECT is((SELECT count(*)::int FROM relygate_report.visits WHERE visit_id = :'foreign_visit'), 0, '... none of another');
SELECT is((SELECT count(*)::int FROM relygate_report.visitors), 2, 'visitors of the tenant alone');
SELECT is((SELECT count(*)::int FROM relygate_report.occupancy), 1, 'sites of the tenant alone');
SELECT ok((SELECT count(*) > 0 AND bool_and(row_id <> :'foreign_visit') FROM relygate_report.audit), 'records of the tenant alone');
SELECT is((SELECT format('%s|%s|%s|%s|%s|%s', state, visitor_first_name, visitor_mobile, purpose, gate_in_name, host_last_name)
             FROM relygate_report.visits WHERE visit_id = :'visit'), 'checked_in|Asha|+919845012367|Parcel|Front|Iyer', 'a visit with its names');
SELECT is((SELECT requested_on FROM relygate_report.visits WHERE visit_id = :'visit'), '2026-11-25'::date, 'a day is the site''s: midnight');
SELECT is((SELECT requested_on FROM relygate_report.visits WHERE visit_id = :'second'), '2026-11-24'::date, '... and the second before');
SELECT isnt((SELECT purpose FROM relygate_report.visits WHERE visit_id = :'second'), NULL, 'a purpose of the list by its name');
SELECT is((SELECT format('%s|%s|%s|%s', inside, open_visits, capacity, free_places) FROM relygate_report.occupancy), '4|2|10|6', 'groups count whole');
SELECT is((SELECT changes -> 'state' ->> 'after' FROM relygate_report.audit WHERE row_id = :'visit'), 'checked_in', 'the audit says what changed');
SELECT is((SELECT duration_minutes FROM relygate_report.visits WHERE visit_id = :'visit'), NULL, 'a visit that is not over has no duration');

-- ... and may not
SELECT throws_ok('SELECT security_code FROM relygate.visitors', '42501', NULL, 'no security codes');
SELECT throws_ok('SELECT document_hash FROM relygate.visitors', '42501', NULL, 'no hashes of documents');
SELECT throws_ok('SELECT password_hash FROM relygate.users', '42501', NULL, 'no hashes of passwords');
SELECT throws_ok('SELECT salt FROM relygate.audit_log', '42501', NULL, 'no salts');
SELECT throws_ok('DELETE FROM relygate.visits', '42501', NULL, 'no writing of tables');
SELECT throws_ok('UPDATE relygate_report.visitors SET first_name = ''X''', NULL, NULL, '... nor through views');
SELECT throws_ok(format($$ SELECT set_config('app.tenant_id', %L, true) $$, :'south'), '42501', NULL, 'no choosing of a tenant');

-- A group that leaves in parts
SELECT test.act_as(:'north');
SELECT is((SELECT group_size FROM relygate.check_out(:'visit', group_size => 2)), 1, 'two of three leave');
SELECT is((SELECT state || ' ' || group_size FROM relygate.check_out(:'visit')), 'checked_out 1', 'the last one ends the visit');
UPDATE relygate.visits SET group_size = 4 WHERE id = :'second';
SELECT test.act_as(:'north', 'relygate_reporting');
SELECT is((SELECT array_agg(group_size || ' of ' || people ORDER BY people) FROM relygate_report.visits), ARRAY['1 of 3', '4 of 4'],
    'all who came are counted, who joined later once');
SELECT ok((SELECT NOT string_agg(line, '') LIKE '%visit_departures%' FROM test.plan_of('SELECT group_size FROM relygate_report.visits') line),
    '... only where it is asked for');

-- Durations are real minutes, days with a clock change too (time-004, time-005)
RESET ROLE;
SELECT id AS berlin FROM relygate.create_tenant('R_BERLIN', 'Berlin', 'office', 'Europe/Berlin', 'DE') \gset
SELECT test.act_as(:'berlin');
INSERT INTO relygate.visitors (first_name) VALUES ('Jens') RETURNING id AS jens \gset
INSERT INTO relygate.visits (site_id, visitor_id, state) SELECT s.id, :'jens', 'checked_in' FROM relygate.sites s RETURNING id AS visit \gset
UPDATE relygate.visits SET state = 'checked_out' WHERE id = :'visit';
UPDATE relygate.visits SET checked_in_at = '2026-03-29T00:50:00Z', checked_out_at = '2026-03-29T01:10:00Z' WHERE id = :'visit';
SELECT is((SELECT duration_minutes FROM relygate_report.visits), 20.0, 'spring: 01:50 to 03:10 on the clock are twenty minutes');
UPDATE relygate.visits SET checked_in_at = '2026-10-25T00:50:00Z', checked_out_at = '2026-10-25T01:10:00Z' WHERE id = :'visit';
SELECT is((SELECT duration_minutes FROM relygate_report.visits), 20.0, 'autumn: 02:50 to 02:10 on the clock are twenty minutes');
UPDATE relygate.visits SET checked_in_at = '2026-11-24T21:40:00Z', checked_out_at = '2026-11-25T05:15:00Z' WHERE id = :'visit';
SELECT is((SELECT format('%s|%s|%s', checked_in_on, checked_out_on, duration_minutes) FROM relygate_report.visits),
    '2026-11-24|2026-11-25|455.0', 'over midnight each end has its own day');

-- Their form
RESET ROLE;
SELECT set_eq($$ SELECT table_name::text FROM information_schema.views WHERE table_schema = 'relygate_report' $$,
    ARRAY['visits', 'occupancy', 'visitors', 'audit'], 'the views');
SELECT is_empty($$ SELECT oid::regclass FROM pg_class WHERE relnamespace = 'relygate_report'::regnamespace AND relkind IN ('v', 'm')
    AND NOT coalesce('security_invoker=true' = ANY (reloptions), false) $$, 'each runs with its reader''s rights');
SELECT is_empty($$ SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'relygate_report'::regnamespace AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL $$, 'each column is described');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'relygate_report'::regnamespace AND obj_description(c.oid, 'pg_class') IS NULL $$,
    'each view is described');

SELECT * FROM finish();
ROLLBACK;
