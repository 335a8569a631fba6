-- Wrong words in direct calls, as a DBA makes them: each is refused with RG400, the parameter that is to blame and the words that are
-- known where they are a list, never with PostgreSQL's "violates check constraint" or an empty result; nothing is written.
BEGIN;
SELECT plan(43);

CREATE FUNCTION test.refusal(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; field text; detail text;
BEGIN
    EXECUTE 'SELECT ' || call;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, field = COLUMN_NAME, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', state, field, nullif(detail, ''));
END $$;
GRANT EXECUTE ON FUNCTION test.refusal TO PUBLIC;

SELECT id AS north FROM relygate.create_tenant('W_NORTH', 'North', 'office', 'Asia/Dubai', 'AE') \gset
SELECT test.act_as(:'north');
SELECT relygate.create_user('keeper', 'Gate-keeper-7431', 'receptionist') \g /dev/null
SELECT relygate.create_visit('Uma', visitor__mobile => '+971501234567', purpose => 'Tour') \g /dev/null


SELECT is(test.refusal(call), 'RG400 | ' || expected, call)
  FROM (VALUES
    ($$relygate.list_visits(state => 'foo')$$, 'state | Known are pending, checked_in, checked_out, refused, cancelled, expired.'),
    ($$relygate.list_visits("from" => 'tomorrow')$$, 'from | A date (2026-11-25) or a time with offset (2026-11-25T10:00:00Z) is asked for.'),
    ($$relygate.list_visits("to" => 'now')$$, 'to | A date (2026-11-25) or a time with offset (2026-11-25T10:00:00Z) is asked for.'),
    ($$relygate.list_visits(search => repeat('x', 201))$$, 'search'),
    ($$relygate.list_visitors(type => 'vip')$$, 'visitor_type | Known are registered, unregistered.'),
    ($$relygate.list_gates(direction => 'up')$$, 'direction | Known are in, out, both.'),
    ($$relygate.list_locations(kind => 'roof')$$, 'kind | Known are building, floor, unit.'),
    ($$relygate.list_hosts(kind => 'guest')$$, 'kind | Known are resident, employee.'),
    ($$relygate.list_purposes(kind => 'fun')$$, 'kind | Known are visit, gate_pass, student, staff, vehicle.'),
    ($$relygate.list_gates(sort => 'site')$$, 'sort | A - in front turns the order round; known are name, createdAt.'),
    ($$relygate.create_gate('North', direction => 'up')$$, 'direction | Known are in, out, both.'),
    ($$relygate.create_gate(E'a\nb')$$, 'name'),
    ($$relygate.create_location('roof', 'x')$$, 'kind | Known are building, floor, unit.'),
    ($$relygate.create_host('guest', 'Ravi')$$, 'kind | Known are resident, employee.'),
    ($$relygate.create_host('resident', '<b>')$$, 'first_name'),
    ($$relygate.create_host('resident', 'Ravi', '<b>')$$, 'last_name'),
    ($$relygate.create_host('resident', 'Ravi', email => 'x')$$, 'email'),
    ($$relygate.create_purpose('x', kind => 'fun')$$, 'kind | Known are visit, gate_pass, student, staff, vehicle.'),
    ($$relygate.create_purpose('x', "position" => -1)$$, 'position | The least is 0, the most is 1000000.'),
    ($$relygate.create_visitor_category('x', "position" => -1)$$, 'position | The least is 0, the most is 1000000.'),
    ($$relygate.create_site('x', time_zone => 'IST')$$, 'time_zone'),
    ($$relygate.create_site('x', capacity => 0)$$, 'capacity | The least is 1, the most is 1000000.'),
    ($$relygate.update_site((SELECT id FROM relygate.list_sites()), capacity => -1)$$, 'capacity | The least is 1, the most is 1000000.'),
    ($$relygate.create_visitor('Uma', visitor_type => 'vip')$$, 'visitor_type | Known are registered, unregistered.'),
    ($$relygate.create_visitor('Uma', mobile => '12')$$, 'mobile'),
    ($$relygate.create_visitor('Uma', mobile => '+971501234568', vehicle_no => '!')$$, 'vehicle_no'),
    ($$relygate.create_visitor('Uma', document_type => 'card', document_no => '1')$$, 'document_type | Known are aadhaar, pan, passport, driving_licence, voter_id, employee_id, student_id.'),
    ($$relygate.create_visitor('Uma', mobile => '+971501234568', valid_from => '2026-02-02', valid_until => '2026-02-01')$$, 'valid_until'),
    ($$relygate.create_visit('<b>', visitor__mobile => '+971501234568', purpose => 'Tour')$$, 'visitor__first_name'),
    ($$relygate.create_visit('Uma', visitor__mobile => '+971501234568', purpose => E'a\nb')$$, 'purpose'),
    ($$relygate.create_visit('Uma', visitor__mobile => '+971501234568', purpose => 'Tour', group_size => 0)$$, 'group_size | The least is 1, the most is 1000.'),
    ($$relygate.check_out((SELECT id FROM relygate.list_visits()), group_size => 1001)$$, 'group_size | The least is 1, the most is 1000.'),
    ($$relygate.create_user('x', 'Gate-keeper-7431', 'receptionist')$$, 'user_name'),
    ($$relygate.create_user('other', 'Gate-keeper-7431', 'receptionist', first_name => '<b>')$$, 'first_name'),
    ($$relygate.create_user('other', 'Gate-keeper-7431', 'receptionist', mobile => '12')$$, 'mobile'),
    ($$relygate.update_user((SELECT id FROM relygate.list_users()), email => 'x')$$, 'email')) AS c (call, expected);
SELECT is((SELECT count(*)::int FROM relygate.list_visitors()), 1, 'nothing was written');
-- Of a document the country's rules count: a licence of the Emirates is no Indian one.
SELECT is(test.refusal($$relygate.create_visitor('Omar', mobile => '+971501234569', document_type => 'driving_licence', document_no => '2345678')$$), 'done', 'a licence of the tenant''s country is taken');
-- Another spelling of a right word is taken as it is stored.
SELECT is((SELECT user_name FROM relygate.create_user(' spaced ', 'Gate-keeper-7431', 'receptionist')), 'spaced', 'a user name is trimmed');
RESET ROLE;
SELECT is(test.refusal(call), 'RG400 | ' || expected, call)
  FROM (VALUES
    ($$relygate.create_tenant('w-x', 'North', 'office', 'Asia/Dubai', 'AE')$$, 'code'),
    ($$relygate.create_tenant('WX', 'North', 'factory', 'Asia/Dubai', 'AE')$$, 'kind | Known are school, residential, office, hospital, other.'),
    ($$relygate.create_tenant('WX', 'North', 'office', 'GMT+5', 'AE')$$, 'time_zone'),
    ($$relygate.create_tenant('WX', 'North', 'office', 'Asia/Dubai', 'ZZ')$$, 'country')) AS c (call, expected);

SELECT * FROM finish();
ROLLBACK;
