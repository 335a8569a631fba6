-- The triggers on real tables: all states of a visit crossed, times and users of check-in and check-out, normalised columns, who
-- wrote what and when. The writer here is a superuser, whom policies do not hold back: the triggers do.
BEGIN;
SELECT plan(67);

SELECT id AS tenant FROM relygate.create_tenant('X_STATES', 'States', 'office', 'Asia/Kolkata', 'IN') \gset
SELECT id AS guard FROM relygate.create_user('guard', 'Gate-keeper-7431', 'security_guard') \gset
SELECT test.act_as(:'tenant', 'postgres', :'guard');
SELECT id AS site FROM relygate.sites WHERE tenant_id = :'tenant' \gset

CREATE FUNCTION pg_temp.visitor(first_name text) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO relygate.visitors (visitor_type, first_name) VALUES ('unregistered', first_name) RETURNING id $$;
-- A visit brought to a state by the allowed ways.
CREATE FUNCTION pg_temp.visit(wanted text, site uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    made uuid;
BEGIN
    INSERT INTO relygate.visits (site_id, visitor_id, state)
    VALUES (site, pg_temp.visitor('Asha'), CASE WHEN wanted IN ('checked_in', 'checked_out') THEN 'checked_in' ELSE 'pending' END) RETURNING id INTO made;
    IF wanted NOT IN ('pending', 'checked_in') THEN
        UPDATE relygate.visits SET state = wanted WHERE id = made;
    END IF;
    RETURN made;
END $$;
-- What came of a statement: 'done', or SQLSTATE, code and data.
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; code text; data text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, code = CONSTRAINT_NAME, data = PG_DATATYPE_NAME;
    RETURN concat_ws(' ', state, code, CASE WHEN state LIKE 'RG%' THEN nullif(data, '')::jsonb ->> 'state' END);
END $$;

-- All states crossed: 36
SELECT is(pg_temp.attempt(format('UPDATE relygate.visits SET state = %L WHERE id = %L', n.state, pg_temp.visit(o.state, :'site'))),
    CASE WHEN (o.state, n.state) IN (('pending', 'checked_in'), ('pending', 'refused'), ('pending', 'cancelled'), ('pending', 'expired'), ('checked_in', 'checked_out'))
         THEN 'done' ELSE 'RG409 visit_state ' || o.state END,
    o.state || ' -> ' || n.state)
  FROM unnest(ARRAY['pending', 'checked_in', 'checked_out', 'refused', 'cancelled', 'expired']) AS o (state),
       unnest(ARRAY['pending', 'checked_in', 'checked_out', 'refused', 'cancelled', 'expired']) AS n (state);
-- Births: 6
SELECT is(pg_temp.attempt(format('INSERT INTO relygate.visits (site_id, visitor_id, state) VALUES (%L, %L, %L)', :'site', pg_temp.visitor('Ravi'), born)),
    CASE WHEN born IN ('pending', 'checked_in') THEN 'done' ELSE 'RG409 visit_state' END, 'born ' || born)
  FROM unnest(ARRAY['pending', 'checked_in', 'checked_out', 'refused', 'cancelled', 'expired']) AS b (born);
SELECT is(pg_temp.attempt(format('UPDATE relygate.visits SET state = ''elsewhere'' WHERE id = %L', pg_temp.visit('pending', :'site'))), '23514 visit_state_check',
    'a word that is no state meets the domain first');

-- Times and users
SELECT pg_temp.visit('pending', :'site') AS visit \gset
SELECT is((SELECT checked_in_at FROM relygate.visits WHERE id = :'visit'), NULL, 'a pending visit has no check-in');
UPDATE relygate.visits SET state = 'checked_in' WHERE id = :'visit';
SELECT is((SELECT row(checked_in_at = now(), checked_in_by, checked_out_at, checked_out_by)::text FROM relygate.visits WHERE id = :'visit'),
    format('(t,%s,,)', :'guard'), 'check-in: now, by the user');
UPDATE relygate.visits SET state = 'checked_out' WHERE id = :'visit';
SELECT is((SELECT row(checked_out_at = now(), checked_out_by)::text FROM relygate.visits WHERE id = :'visit'), format('(t,%s)', :'guard'), 'check-out: now, by the user');
SELECT throws_ok(format('UPDATE relygate.visits SET state = ''checked_out'', checked_out_at = now() + interval ''1 hour'' WHERE id = %L', :'visit'), 'RG409',
    'visit cannot change state this way', 'a second check-out is refused');
SELECT is((SELECT checked_out_at = now() FROM relygate.visits WHERE id = :'visit'), true, '... and has not moved the time');
SELECT pg_temp.visitor('Old') AS old_visitor \gset
INSERT INTO relygate.visits (site_id, visitor_id, state, requested_at, checked_in_at) VALUES (:'site', :'old_visitor', 'checked_in', '2026-01-05 09:00Z', '2026-01-05 09:10Z')
    RETURNING id AS old_visit \gset
SELECT is((SELECT checked_in_at FROM relygate.visits WHERE id = :'old_visit'), '2026-01-05 09:10Z', 'a time that the statement gives stands');
SELECT is(pg_temp.attempt(format('UPDATE relygate.visits SET state = ''checked_out'', checked_out_at = ''2026-01-05 09:00Z'' WHERE id = %L', :'old_visit')), 'RG400 range',
    'nobody leaves before coming');
-- The letting in was committed by a transaction that began after this one.
INSERT INTO relygate.visits (site_id, visitor_id, state, checked_in_at) VALUES (:'site', pg_temp.visitor('Soon'), 'checked_in', now() + interval '1 second') RETURNING id AS soon \gset
UPDATE relygate.visits SET state = 'checked_out' WHERE id = :'soon';
SELECT is((SELECT checked_out_at = checked_in_at FROM relygate.visits WHERE id = :'soon'), true, 'a transaction that began earlier writes no earlier time');
SELECT is(pg_temp.attempt(format('UPDATE relygate.visits SET remark = ''left the badge'' WHERE id = %L', :'soon')), 'done', 'an UPDATE without state is no transition');

-- What a refusal carries
CREATE FUNCTION pg_temp.refusal(statement text, OUT detail text, OUT data jsonb) LANGUAGE plpgsql AS $$
DECLARE
    given text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN SQLSTATE 'RG409' THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, given = PG_DATATYPE_NAME;
    data := given::jsonb;
END $$;
SELECT * FROM pg_temp.refusal(format('UPDATE relygate.visits SET state = ''checked_in'' WHERE id = %L', :'visit')) \gset
SELECT is(:'detail'::text, 'The visit is checked_out; checked_in was asked for, nothing is allowed any more.', 'the detail names state and allowed ones');
SELECT is((:'data'::jsonb) ->> 'id', :'visit'::text, 'the data name the visit');
SELECT is(((:'data'::jsonb) ->> 'checkedInAt')::timestamptz, now(), '... and since when');
SELECT matches((:'data'::jsonb) ->> 'checkedOutAt', '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$', '... in RFC 3339');

-- Normalised columns
INSERT INTO relygate.visitors (visitor_type, first_name, last_name, mobile, email, vehicle_no)
VALUES ('unregistered', '  Jose' || U&'\0301', 'ALVES ', '098450 12367', ' Jose@Example.IN', 'ka-03 mh 4821') RETURNING id AS jose \gset
SELECT is((SELECT row(first_name, last_name, mobile, email, vehicle_no, search_name)::text FROM relygate.visitors WHERE id = :'jose'),
    row(U&'Jos\00E9', 'ALVES', '+919845012367', 'Jose@example.in', 'KA03MH4821', U&'jos\00E9 alves')::text, 'columns get the stored form');
UPDATE relygate.visitors SET search_name = 'forged' WHERE id = :'jose';
SELECT is((SELECT search_name FROM relygate.visitors WHERE id = :'jose'), U&'jos\00E9 alves', 'a folded column is what its sources say');
UPDATE relygate.visitors SET last_name = NULL WHERE id = :'jose';
SELECT is((SELECT search_name FROM relygate.visitors WHERE id = :'jose'), U&'jos\00E9', '... after a change too');
SELECT throws_ok(format('UPDATE relygate.visitors SET mobile = ''050 123 4567'' WHERE id = %L', :'jose'), 'RG400', NULL, 'another country''s national form');
UPDATE relygate.tenants SET country = 'AE' WHERE id = :'tenant';
UPDATE relygate.visitors SET first_name = 'Joseph' WHERE id = :'jose';
SELECT is((SELECT mobile FROM relygate.visitors WHERE id = :'jose'), '+919845012367', 'a column that is left alone is not looked at again');
UPDATE relygate.visitors SET mobile = '050 123 4567' WHERE id = :'jose';
SELECT is((SELECT mobile FROM relygate.visitors WHERE id = :'jose'), '+971501234567', 'the country is the one of now');
CREATE TEMPORARY TABLE loose (name text);
CREATE TRIGGER normalize BEFORE INSERT ON loose FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=no_such_rule');
SELECT throws_ok('INSERT INTO loose VALUES (''x'')', '22023', 'there is no rule "no_such_rule"', 'a wrong trigger says so');
CREATE TEMPORARY TABLE mistyped (name int, state int, created_at text);
CREATE TRIGGER touch BEFORE INSERT ON mistyped FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
SELECT throws_ok('INSERT INTO mistyped VALUES (1, 1)', '42804', 'column "created_at" of table "mistyped" is not of type timestamp with time zone',
    'a column of another type is no crash: touch_row');
CREATE OR REPLACE TRIGGER touch BEFORE INSERT ON mistyped FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label');
SELECT throws_ok('INSERT INTO mistyped VALUES (1, 1)', '42804', NULL, '... normalize_columns');
CREATE OR REPLACE TRIGGER touch BEFORE INSERT ON mistyped FOR EACH ROW EXECUTE FUNCTION relygate.visit_state_change();
SELECT throws_ok('INSERT INTO mistyped VALUES (1, 1)', '42804', NULL, '... visit_state_change');

-- Who and when
UPDATE relygate.visitors SET created_at = '1999-01-01Z', created_by = NULL, updated_by = gen_random_uuid() WHERE id = :'jose';
SELECT is((SELECT row(created_at = now(), created_by, updated_at = now(), updated_by)::text FROM relygate.visitors WHERE id = :'jose'),
    format('(t,%s,t,%s)', :'guard', :'guard'), 'created and updated are the context''s to say');

SELECT * FROM finish();
ROLLBACK;
