-- The validators in SQL: every case of ../cases through the function that a DBA calls, and what a refusal says and does not say.
BEGIN;
SELECT plan(111);

CREATE TEMPORARY TABLE mobile (line jsonb);
CREATE TEMPORARY TABLE names (line jsonb);
CREATE TEMPORARY TABLE vehicles (line jsonb);
CREATE TEMPORARY TABLE email (line jsonb);
CREATE TEMPORARY TABLE documents (line jsonb);
-- The lines hold quotes and backslashes: neither may mean anything.
\copy mobile FROM '../cases/mobile.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy names FROM '../cases/names.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy vehicles FROM '../cases/vehicles.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy email FROM '../cases/email.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy documents FROM '../cases/documents.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')

-- The value, or null where RG400 refused it; any other error ends the file.
CREATE FUNCTION pg_temp.outcome(rule text, VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SELECT relygate.%I(%s)', rule, (SELECT string_agg(quote_literal(a), ', ' ORDER BY n) FROM unnest(arguments) WITH ORDINALITY AS u (a, n)))
       INTO answer;
    RETURN answer;
EXCEPTION WHEN SQLSTATE 'RG400' THEN
    RETURN NULL;
END $$;
-- What a case expects, in the same terms.
CREATE FUNCTION pg_temp.expected(line jsonb) RETURNS text LANGUAGE sql AS
$$ SELECT CASE WHEN (line -> 'expected' -> 'ok')::boolean THEN line #>> '{expected,value}' END $$;

SELECT is(pg_temp.outcome('normalize_mobile', line #>> '{input,text}', line #>> '{input,tenant_country}'), pg_temp.expected(line), line ->> 'id')
  FROM mobile WHERE line -> 'input' ? 'text';
SELECT is((SELECT count(DISTINCT pg_temp.outcome('normalize_mobile', text, 'IN'))::int FROM jsonb_array_elements_text(line #> '{input,texts}') AS text), 1, line ->> 'id')
  FROM mobile WHERE line -> 'input' ? 'texts';
SELECT is(pg_temp.outcome('normalize_person_name', line #>> '{input,text}'), pg_temp.expected(line), line ->> 'id')
  FROM names WHERE line -> 'input' ? 'text';
SELECT is((SELECT count(DISTINCT relygate.fold_search(text))::int FROM jsonb_array_elements_text((line #> '{input,search}') || (line #> '{input,registered}')) AS text), 1,
    line ->> 'id') FROM names WHERE line -> 'input' ? 'search';
SELECT is(pg_temp.outcome('normalize_vehicle_number', line #>> '{input,text}', line #>> '{input,tenant_country}'), pg_temp.expected(line), line ->> 'id')
  FROM vehicles WHERE line -> 'input' ? 'text';
SELECT is((SELECT count(DISTINCT pg_temp.outcome('normalize_vehicle_number', text, 'IN'))::int FROM jsonb_array_elements_text(line #> '{input,texts}') AS text), 1,
    line ->> 'id') FROM vehicles WHERE line -> 'input' ? 'texts';
SELECT is(pg_temp.outcome('normalize_email', line #>> '{input,text}'), pg_temp.expected(line), line ->> 'id')
  FROM email WHERE line -> 'input' ? 'text';
SELECT is(pg_temp.outcome('normalize_document_number', line #>> '{input,type}', line #>> '{input,text}'), pg_temp.expected(line), line ->> 'id')
  FROM documents WHERE line -> 'input' ? 'text';
SELECT is((SELECT count(DISTINCT pg_temp.outcome('normalize_document_number', 'aadhaar', text))::int FROM jsonb_array_elements_text(line #> '{input,texts}') AS text), 1,
    line ->> 'id') FROM documents WHERE line -> 'input' ? 'texts';

-- What a refusal says
CREATE FUNCTION pg_temp.refusal(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text; member text; code text;
BEGIN
    EXECUTE call;
    RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
        member = COLUMN_NAME, code = CONSTRAINT_NAME;
    RETURN concat_ws('|', state, code, member, message, detail, hint);
END $$;
SELECT is(pg_temp.refusal($$ SELECT relygate.normalize_mobile('98450', 'IN') $$),
    'RG400|invalid|mobile|mobile number is not an Indian mobile number||Enter ten digits that begin with 6, 7, 8 or 9, or + and the calling code of another country.',
    'status, code, member, message, hint');
SELECT unalike(pg_temp.refusal($$ SELECT relygate.normalize_document_number('aadhaar', '2363 8472 9105') $$), '%9105%', 'a refusal does not repeat the number');
SELECT alike(pg_temp.refusal($$ SELECT relygate.normalize_document_number('aadhaar', '9120 4567 8901 2345') $$), '%virtual ID%', 'it says what 16 digits are');
SELECT is(relygate.mask_document_number('aadhaar', '236384729104'), 'XXXXXXXX9104', 'the mask leaves the last four');
SELECT alike(pg_temp.refusal($$ SELECT relygate.check_password('Password@123', 'ravi') $$), 'RG400|invalid|password|%commonest%', 'a common password');
SELECT alike(pg_temp.refusal($$ SELECT relygate.check_password('Ravi#1234', 'rAVI#1234') $$), '%password is the user name%', 'the user name');
SELECT alike(pg_temp.refusal($$ SELECT relygate.check_password(NULL, NULL) $$), '%too short%', 'no password is no good one');
SELECT ok(relygate.check_password('Gate-keeper-7431', NULL), 'a good one');
SELECT is(relygate.normalize_mobile(NULL, 'IN'), NULL, 'null stays null');

-- The CHECKs of the domains
SELECT results_eq($$ SELECT relygate.is_time_zone(zone) FROM (VALUES (1, 'Asia/Kolkata'), (2, 'IST'), (3, 'UTC+05:30'), (4, 'Asia/Calcutta'), (5, 'Nonsense/Zone'), (6, 'foo5')) AS z (n, zone)
    ORDER BY n $$, ARRAY[true, false, false, true, false, false], 'time-013');
SELECT is((SELECT count(*)::int FROM pg_timezone_names WHERE relygate.is_time_zone(name)) > 500, true, 'the server knows our zones');
SELECT ok(relygate.is_mobile('050 123 4567') AND NOT relygate.is_mobile('abc') AND NOT relygate.is_mobile('1 / 2'), 'a mobile of any country, nothing else');
SELECT ok(relygate.is_code('NORTH_1') AND NOT relygate.is_code('north') AND NOT relygate.is_code(' N1'), 'a code as it is stored');
SELECT ok(relygate.is_visit_state('pending') AND NOT relygate.is_visit_state('Pending') AND NOT relygate.is_visit_state(''), 'words are exact');
SELECT is(relygate.is_email(NULL), NULL, 'a CHECK lets null pass');

-- Ids
SELECT is((SELECT count(DISTINCT id)::int FROM (SELECT relygate.uuid_v7() AS id FROM generate_series(1, 10000)) i), 10000, 'ten thousand ids are different');
SELECT ok((SELECT bool_and(id > before) FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before FROM (SELECT n, relygate.uuid_v7() AS id FROM generate_series(1, 10000) n) i) j
    WHERE before IS NOT NULL), '... and each is greater than the one before');
SELECT ok(abs(('x' || substr(replace(relygate.uuid_v7()::text, '-', ''), 1, 12))::bit(48)::bigint - extract(epoch FROM clock_timestamp()) * 1000) < 5000, 'it begins with the time');
SELECT matches(relygate.uuid_v7()::text, '^.{14}7.{4}[89ab]', 'version 7, variant of the RFC');

SELECT * FROM finish();
ROLLBACK;
