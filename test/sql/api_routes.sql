-- Every route of the product can be asked: its function is there once, takes parameters that members can fill, and what its row
-- names is among them. Nobody else would notice before the first client does.
BEGIN;
SELECT plan(6);

SELECT id AS north FROM relygate.create_tenant('R_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN', is_operator => true) \gset
INSERT INTO relygate.roles (name) VALUES ('Everything') RETURNING id AS everything \gset
INSERT INTO relygate.role_permissions (role_id, permission)
SELECT DISTINCT :'everything'::uuid, permission FROM relygate.product_routes WHERE permission LIKE '%.%' AND permission NOT LIKE 'platform.%';
SELECT id AS clerk FROM relygate.create_user('clerk', 'Gate-keeper-7431', 'Everything') \gset
SELECT id AS operator FROM relygate.create_user('operator', 'Gate-keeper-7431', 'platform_admin') \gset

CREATE TEMP TABLE parameter AS
SELECT r.method, r.pattern, p.name, p.place > p.count - p.defaults AS has_default
  FROM relygate.product_routes r
  JOIN (SELECT proname, name, place, pronargs AS count, pronargdefaults AS defaults FROM pg_proc, unnest(proargnames) WITH ORDINALITY AS n (name, place)
         WHERE pronamespace = 'relygate'::regnamespace AND place <= pronargs) p ON p.proname = r.function;

SELECT is_empty($$ SELECT method, pattern, function FROM relygate.product_routes r
    WHERE (SELECT count(*) FROM pg_proc WHERE pronamespace = 'relygate'::regnamespace AND proname = r.function) <> 1 $$, 'one name, one function');
SELECT is_empty($$ SELECT pattern, found[1] FROM relygate.product_routes r, regexp_matches(pattern, '\{(\w+)\}', 'g') found
    WHERE NOT EXISTS (SELECT FROM parameter p WHERE (p.method, p.pattern, p.name) = (r.method, r.pattern, found[1])) $$, 'a segment in braces is a parameter');
SELECT is_empty($$ SELECT r.method, r.pattern, named FROM relygate.product_routes r, unnest(required) named
    WHERE NOT EXISTS (SELECT FROM parameter p WHERE (p.method, p.pattern, p.name) = (r.method, r.pattern, named)) $$, 'required names parameters');
SELECT is_empty($$ SELECT r.method, r.pattern, named FROM relygate.product_routes r, unnest(one_of) row, regexp_split_to_table(row, '\|') named
    WHERE NOT EXISTS (SELECT FROM parameter p WHERE (p.method, p.pattern) = (r.method, r.pattern) AND (p.name = named OR starts_with(p.name, named || '__'))) $$,
    'one_of names parameters or objects');
SELECT is_empty($$ SELECT method, pattern FROM relygate.product_routes r WHERE answer = 'list' AND EXISTS (SELECT FROM parameter p
        WHERE (p.method, p.pattern) = (r.method, r.pattern) AND p.name = 'page_limit')
      AND 4 <> (SELECT count(*) FROM parameter p WHERE (p.method, p.pattern) = (r.method, r.pattern) AND p.name IN ('page_limit', 'page_offset', 'after', 'counting')) $$,
    'a list that takes page_limit takes the other three');

CREATE FUNCTION test.ask_all(clerk uuid, operator uuid, tenant uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    answer relygate.answer;
BEGIN
    FOR r IN SELECT *, regexp_replace(pattern, '\{\w+\}', gen_random_uuid()::text, 'g') AS path FROM relygate.product_routes ORDER BY method, pattern LOOP
        BEGIN
            answer := relygate.handle_request(tenant, CASE WHEN r.permission LIKE 'platform.%' THEN operator ELSE clerk END, NULL, NULL, 'r', NULL, r.method, r.path, '',
                                              '{Content-Type,application/json}', convert_to(CASE WHEN r.method = 'GET' THEN '' ELSE '{}' END, 'UTF8'));
            IF answer.status IN (401, 403, 405) AND r.permission <> 'public' OR answer.status >= 500 THEN
                RETURN NEXT concat_ws(' ', r.method, r.pattern, answer.status, convert_from(answer.body, 'UTF8'));
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RETURN NEXT concat_ws(' ', r.method, r.pattern, SQLSTATE, SQLERRM);
        END;
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION test.ask_all(uuid, uuid, uuid) TO PUBLIC;
SELECT test.act_as(:'north');
SELECT is_empty(format('SELECT test.ask_all(%L, %L, %L)', :'clerk', :'operator', :'north'), 'every route answers, if only with what was wrong');

SELECT * FROM finish();
ROLLBACK;
