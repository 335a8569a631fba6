-- The dispatcher: a request goes in as the shim hands it over, an answer comes out. A toy of its own is what it works on, added
-- as a DBA would add it: a function, a row in relygate_global.routes, no restart.
BEGIN;
SELECT plan(127);

SELECT id AS south FROM relygate.create_tenant('D_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
SELECT id AS north FROM relygate.create_tenant('D_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
INSERT INTO relygate.roles (name) VALUES ('Toymaker') RETURNING id AS toymaker \gset
INSERT INTO relygate.role_permissions (role_id, permission) VALUES (:'toymaker', 'toys.write'), (:'toymaker', 'toys.read');
SELECT id AS maker FROM relygate.create_user('maker', 'Gate-keeper-7431', 'Toymaker') \gset
INSERT INTO relygate.sessions (user_id, refresh_hash, expires_at) VALUES (:'maker', sha256('1'), now() + interval '1 day') RETURNING id AS session \gset

CREATE TABLE relygate.toys (
    tenant_id uuid NOT NULL DEFAULT relygate.current_tenant(), id uuid NOT NULL DEFAULT relygate.uuid_v7(), name text NOT NULL,
    size int NOT NULL CONSTRAINT toys_size CHECK (size < 100), twin_id uuid, made_at timestamptz NOT NULL DEFAULT '2026-01-02 03:04:05.120Z',
    PRIMARY KEY (tenant_id, id), CONSTRAINT toys_name UNIQUE (tenant_id, name),
    CONSTRAINT toys_twin FOREIGN KEY (tenant_id, twin_id) REFERENCES relygate.toys (tenant_id, id));
COMMENT ON CONSTRAINT toys_size ON relygate.toys IS 'must be below 100';
SELECT relygate.protect_table('relygate.toys');
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.toys TO relygate_api;
CREATE TYPE relygate.toy AS (id uuid, name text, size int, made_at timestamptz, day date, is_big boolean, tags text[], extra jsonb,
    twin__id uuid, twin__name text, _cursor text[], _total bigint, _etag text);

CREATE FUNCTION relygate.list_toys(search text DEFAULT NULL, ids uuid[] DEFAULT NULL, sort text DEFAULT NULL, page_limit int DEFAULT 21,
    page_offset int DEFAULT 0, after text[] DEFAULT NULL, counting boolean DEFAULT false) RETURNS SETOF relygate.toy LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT t.id, t.name, t.size, t.made_at, date '2026-02-28', t.size > 50, ARRAY['a', NULL, 'b"c'], jsonb '{"x": [1]}', w.id, w.name,
        ARRAY[t.size::text, t.id::text], CASE WHEN counting THEN (SELECT count(*) FROM relygate.toys) END, 'v' || t.size
      FROM relygate.toys t LEFT JOIN relygate.toys w ON w.id = t.twin_id
     WHERE (after IS NULL OR (t.size, t.id) > (after[1]::int, after[2]::uuid)) AND (list_toys.search IS NULL OR t.name = list_toys.search)
       AND (list_toys.ids IS NULL OR t.id = ANY (list_toys.ids))
     ORDER BY t.size, t.id LIMIT page_limit OFFSET page_offset;
END $$;
CREATE FUNCTION relygate.get_toy(id uuid) RETURNS SETOF relygate.toy LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT * FROM relygate.list_toys(ids => ARRAY[get_toy.id]);
END $$;
CREATE FUNCTION relygate.create_toy(name relygate.label_input, size int DEFAULT 3, twin_id uuid DEFAULT NULL) RETURNS SETOF relygate.toy LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    INSERT INTO relygate.toys (name, size, twin_id) VALUES (create_toy.name, nullif(create_toy.size, 0), create_toy.twin_id) RETURNING toys.id INTO made;
    RETURN QUERY SELECT * FROM relygate.list_toys(ids => ARRAY[made]);
END $$;
CREATE FUNCTION relygate.update_toy(id uuid, name relygate.label_input DEFAULT NULL, twin_id uuid DEFAULT NULL, given text[] DEFAULT NULL)
RETURNS SETOF relygate.toy LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    UPDATE relygate.toys t SET name = coalesce(update_toy.name, t.name),
        twin_id = CASE WHEN 'twin_id' = ANY (given) THEN update_toy.twin_id ELSE t.twin_id END WHERE t.id = update_toy.id;
    RETURN QUERY SELECT * FROM relygate.list_toys(ids => ARRAY[update_toy.id]);
END $$;
CREATE FUNCTION relygate.delete_toy(id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM relygate.toys t WHERE t.id = delete_toy.id;
END $$;
-- Writes, then fails in the way that is asked for.
CREATE FUNCTION relygate.break_toy(sqlstate text) RETURNS SETOF relygate.toy LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO relygate.toys (name, size) VALUES ('half-written', 1);
    IF break_toy.sqlstate = 'refuse' THEN
        PERFORM relygate.refuse(422, 'toy_broken', 'toy is broken', 'It fell.', 'Glue it.', 'toy__part_no', '{"pieces": 2}');
    ELSIF break_toy.sqlstate = 'no row' THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'broken' USING ERRCODE = break_toy.sqlstate;
END $$;
CREATE FUNCTION relygate.count_failure() RETURNS relygate.answer LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO relygate.toys (name, size) VALUES ('counted', 1);
    RETURN ROW(401, 'text/plain', ARRAY['X-Toy', '1'], convert_to('no', 'UTF8'))::relygate.answer;
END $$;
CREATE FUNCTION relygate.whose_toy(name text) RETURNS TABLE (owner text, tenant text, user_role text, request text, address text) LANGUAGE sql STABLE AS $$
    SELECT whose_toy.name, current_setting('app.tenant_id'), current_setting('app.user_role'), current_setting('app.request_id'), current_setting('app.client_address')
$$;
GRANT EXECUTE ON FUNCTION relygate.list_toys, relygate.get_toy, relygate.create_toy, relygate.update_toy, relygate.delete_toy, relygate.break_toy,
    relygate.count_failure, relygate.whose_toy TO relygate_api;

INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, status, location, message, read_only, while_suspended)
VALUES ('GET', '/api/toys', 'list_toys', 'toys.read', 'list', 200, NULL, 'Toys', true, false),
       ('GET', '/api/toys/{id}', 'get_toy', 'toys.read', 'object', 200, NULL, 'Toy', true, false),
       ('POST', '/api/toys', 'create_toy', 'toys.write', 'object', 201, '/api/toys/{id}', 'Toy made', false, false),
       ('PATCH', '/api/toys/{id}', 'update_toy', 'toys.write', 'object', 200, NULL, 'Toy changed', false, false),
       ('DELETE', '/api/toys/{id}', 'delete_toy', 'toys.write', 'none', 200, NULL, 'Toy gone', false, true),
       ('POST', '/api/toys/break', 'break_toy', 'toys.write', 'object', 200, NULL, 'Toy broken', false, false),
       ('POST', '/api/toys/count', 'count_failure', 'toys.write', 'answer', 200, NULL, 'Counted', false, false),
       ('GET', '/api/public/{name}', 'whose_toy', 'public', 'object', 200, NULL, 'Whose', true, false),
       ('GET', '/api/mine/{name}', 'whose_toy', 'signed_in', 'object', 200, NULL, 'Whose', true, false),
       ('GET', '/api/forbidden', 'list_toys', 'toys.forbidden', 'list', 200, NULL, 'Never', true, false),
       ('GET', '/api/platform', 'list_toys', 'platform.read', 'list', 200, NULL, 'Never', true, false),
       ('GET', '/api/lost', 'no_such_function', 'toys.read', 'list', 200, NULL, 'Never', true, false);

CREATE FUNCTION test.ask(ticket uuid[], method text, path text, query text DEFAULT '', body text DEFAULT '', headers text[] DEFAULT '{}', lives interval DEFAULT '8 hours')
RETURNS TABLE (status int, content_type text, headers text[], body jsonb, raw text) LANGUAGE sql AS $$
    SELECT a.status, a.content_type, a.headers, CASE WHEN a.content_type LIKE 'application/json%' THEN convert_from(a.body, 'UTF8')::jsonb END, convert_from(a.body, 'UTF8')
      FROM relygate.handle_request(ticket[1], ticket[2], ticket[3], clock_timestamp() + lives, 'request-7', '192.0.2.1', method, path, query,
             CASE WHEN body <> '' AND NOT 'Content-Type' = ANY (headers) THEN ARRAY['Content-Type', 'application/json'] ELSE '{}' END || headers, convert_to(body, 'UTF8')) a
$$;
CREATE FUNCTION test.fields(body jsonb) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(e ->> 'field' || ' ' || (e ->> 'code'), ', ' ORDER BY e ->> 'field') FROM jsonb_array_elements(body -> 'errors') e $$;
CREATE FUNCTION test.toys() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*)::int FROM relygate.toys';
CREATE FUNCTION test.page(ticket uuid[], query text) RETURNS text LANGUAGE sql AS $$
    SELECT status || ' ' || jsonb_array_length(body -> 'data') || ' ' || coalesce(body #>> '{data,0,name}', '-') || ' ' || ((body -> 'pagination') - 'nextCursor'::text) || CASE WHEN body -> 'pagination' ? 'nextCursor' THEN ' more' ELSE '' END
      FROM test.ask(ticket, 'GET', '/api/toys', query) $$;
CREATE FUNCTION test.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$    -- throws_ok does not catch 57014
BEGIN
    EXECUTE state_of.statement;
    RETURN NULL;
EXCEPTION WHEN query_canceled OR OTHERS THEN
    RETURN SQLSTATE;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO PUBLIC;
SELECT ARRAY[:'north', :'maker', :'session'] AS t \gset
SELECT test.act_as(NULL);

-- Making, reading, the shape of answers
SELECT status, body AS made, headers AS made_headers, body #>> '{data,id}' AS car FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": " car ", "size": 60}') \gset
SELECT is(:status, 201, 'a toy is made');
SELECT is((:'made_headers'::text[])[1:2], ARRAY['Location', '/api/toys/' || :'car'], '... and found at its Location');
SELECT is(:'made'::jsonb - 'data'::text, '{"responseCode": "S", "responseMessage": "Toy made"}', '... in the envelope of success');
SELECT is((:'made'::jsonb -> 'data') - 'id', '{"name": "car", "size": 60, "madeAt": "2026-01-02T03:04:05.12Z", "day": "2026-02-28", "isBig": true, "tags": ["a", null, "b\"c"],
    "extra": {"x": [1]}, "twin": null}', 'names in camelCase, times in UTC, an object whose id is null is null, what begins with _ is hidden');
SELECT is((SELECT raw LIKE '{"responseCode":"S","responseMessage":"Toy made","data":{"id":"%","name":"bus","size":3,%' FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "bus", "size": null}')),
    true, 'null takes the DEFAULT; members stand in the order of the columns');
SELECT is((SELECT body #> '{data,twin}' FROM test.ask(:'t', 'POST', '/api/toys', '', format('{"name": "van", "twinId": "%s"}', :'car'))),
    format('{"id": "%s", "name": "car"}', :'car')::jsonb, 'two underscores are a level');
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys/' || :'car')), 200, 'a toy is read');
SELECT is((SELECT status FROM test.ask(:'t', 'HEAD', '/api/toys/' || :'car')), 200, '... and HEAD counts as GET');
SELECT is((SELECT headers FROM test.ask(:'t', 'GET', '/api/toys/' || :'car')), ARRAY['ETag', '"v60"', 'Cache-Control', 'private, no-cache', 'Vary', 'Authorization'], '... with its ETag');
SELECT is((SELECT (status, raw)::text FROM test.ask(:'t', 'GET', '/api/toys/' || :'car', headers => ARRAY['If-None-Match', tag])), expected, 'If-None-Match ' || tag)
  FROM (VALUES ('"v60"', '(304,"")'), ('W/"v60"', '(304,"")'), ('"a", W/"v60"', '(304,"")'), ('*', '(304,"")')) c (tag, expected);
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys/' || :'car', headers => ARRAY['if-none-match', '"v6"'])), 200, 'another tag does not match');
SELECT headers[2] AS tag FROM test.ask(:'t', 'GET', '/api/toys') \gset
SELECT matches(:'tag'::text, '^"[0-9a-f]{32}"$', 'a list has a tag of all that it says'),
       is((SELECT (status, content_type, headers = ARRAY['ETag', :'tag', 'Cache-Control', 'private, no-cache', 'Vary', 'Authorization'], raw)::text
             FROM test.ask(:'t', 'GET', '/api/toys', headers => ARRAY['If-None-Match', '"x",W/' || :'tag'])), '(304,,t,"")', '... and is not sent again to who has it'),
       is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys', 'pageSize=1', headers => ARRAY['If-None-Match', :'tag'])), 200, '... another page is'),
       is((SELECT status FROM test.ask(:'t', 'GET', '/api/forbidden', headers => ARRAY['If-None-Match', '*'])), 403, 'the permission is looked at first'),
       is((SELECT status FROM test.ask(ARRAY[:'north', :'maker', gen_random_uuid()]::uuid[], 'GET', '/api/toys', headers => ARRAY['If-None-Match', :'tag'])), 401, '... and the session'),
       is((SELECT status FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "taxi"}', ARRAY['If-None-Match', '*'])), 201, 'a write is done'),
       is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys', headers => ARRAY['If-None-Match', :'tag'])), 200, '... and the list has another tag then');
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'GET', '/api/toys/' || gen_random_uuid())), '(404,not_found)', 'no row is a 404');
SELECT is((SELECT (status, test.fields(body))::text FROM test.ask(:'t', 'GET', '/api/toys/7')), '(400,"id invalid")', 'no UUID is a 400');

-- Routes
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', method, path)), expected, method || ' ' || path)
  FROM (VALUES ('GET', '/api/toy', '(404,route_unknown)'), ('GET', '/api/toys/', '(404,route_unknown)'), ('GET', '//api/toys', '(404,route_unknown)'),
               ('GET', '/api/forbidden', '(403,forbidden)'), ('GET', '/api/platform', '(403,forbidden)')) c (method, path, expected);
SELECT is((SELECT (status, headers)::text FROM test.ask(:'t', 'PUT', '/api/toys')), '(405,"{Allow,""GET, HEAD, POST""}")', 'a method that is not there is a 405 with Allow');
SELECT throws_ok(format($$ SELECT test.ask(%L, 'GET', '/api/lost') $$, :'t'), '42883', 'function relygate.no_such_function of a route does not exist', 'a route without its function');

-- Who asks
SELECT is((SELECT (status, body ->> 'code', headers[1])::text FROM test.ask(ticket, 'GET', '/api/toys')), expected, what)
  FROM (VALUES (ARRAY[NULL, NULL, NULL]::uuid[], '(401,token_missing,WWW-Authenticate)', 'no token'),
               (ARRAY[:'north', :'maker', gen_random_uuid()]::uuid[], '(401,session_ended,WWW-Authenticate)', 'an unknown session'),
               (ARRAY[:'north', gen_random_uuid(), :'session']::uuid[], '(401,session_ended,WWW-Authenticate)', 'a session of somebody else'),
               (ARRAY[:'south', :'maker', :'session']::uuid[], '(401,session_ended,WWW-Authenticate)', 'a user of another tenant'),
               (ARRAY[gen_random_uuid(), :'maker', :'session']::uuid[], '(401,session_ended,WWW-Authenticate)', 'an unknown tenant')) c (ticket, expected, what);
SELECT is((SELECT status FROM test.ask(ARRAY[:'north', :'maker', NULL]::uuid[], 'GET', '/api/toys')), 200, 'a token of another issuer has no session');
SELECT is((SELECT body -> 'data' FROM test.ask(:'t', 'GET', '/api/mine/a%2Fb')),
    jsonb_build_object('owner', 'a/b', 'tenant', :'north', 'userRole', 'Toymaker', 'request', 'request-7', 'address', '192.0.2.1'), 'the context is the token''s; the role is that of now');
SELECT is((SELECT status FROM test.ask(ARRAY[NULL, NULL, NULL]::uuid[], 'GET', '/api/public/x')), 200, 'a public route asks for no token');
SELECT test.act_as(:'north');
UPDATE relygate.sessions SET expires_at = now() - interval '1 second';
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys')), 401, 'an expired session');
UPDATE relygate.sessions SET expires_at = now() + interval '1 day', revoked_at = now();
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys')), 401, 'a revoked session');
UPDATE relygate.sessions SET revoked_at = NULL;
UPDATE relygate.users SET is_active = false WHERE id = :'maker';
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys')), 401, 'a closed account');
UPDATE relygate.users SET is_active = true WHERE id = :'maker';
DELETE FROM relygate.role_permissions WHERE role_id = :'toymaker' AND permission = 'toys.write';
SELECT is((SELECT status FROM test.ask(:'t', 'POST', '/api/toys')), 403, 'a permission that was taken away, before the members are looked at');
INSERT INTO relygate.role_permissions (role_id, permission) VALUES (:'toymaker', 'toys.write');
RESET ROLE;
UPDATE relygate.tenants SET state = 'suspended' WHERE id = :'north';
SELECT test.act_as(:'north');
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'POST', '/api/toys')), '(423,tenant_suspended)', 'a suspended tenant does not write');
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys')), 200, '... but reads');
SELECT is((SELECT status FROM test.ask(:'t', 'DELETE', '/api/toys/' || gen_random_uuid())), 200, '... and does what the route allows meanwhile');
RESET ROLE;
UPDATE relygate.tenants SET state = 'active' WHERE id = :'north';
SELECT test.act_as(:'north');

-- Members
SELECT is((SELECT (status, test.fields(body))::text FROM test.ask(:'t', 'POST', '/api/toys', '', asked)), expected, what)
  FROM (VALUES ('{"name": "", "size": 2.5, "colour": "red", "tenant_id": "x"}', '(400,"colour unknown, name invalid, size invalid, tenant_id unknown")', 'all wrong members are named'),
               ('{"size": "3"}', '(400,"name required, size type")', 'a number is no text'),
               ('{"name": "x", "name": "y"}', '(400,"name duplicate")', 'a member given twice'),
               ('[]', '(400,)', 'no object'), ('{} {}', '(400,)', 'two documents'), ('{', '(400,)', 'no JSON')) c (asked, expected, what);
SELECT is((SELECT body ->> 'requestId' FROM test.ask(:'t', 'POST', '/api/toys', '', '{')), 'request-7', 'a refusal carries the request''s id');
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'POST', '/api/toys', '', '{}', ARRAY['Content-Type', kind])), expected, kind)
  FROM (VALUES ('text/plain', '(415,content_type)'), ('application/json; charset=ISO-8859-1', '(415,content_type)'), ('application/json; charset=UTF-8', '(400,invalid)')) c (kind, expected);
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/toys', '', '{}')), 400, 'GET takes no body');
SELECT is((SELECT status FROM test.ask(:'t', 'POST', '/api/toys', '', format('{"name": "tenant", "tenantId": "%s"}', upper(:'north')))), 201, 'the token''s own tenantId is passed over');
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'POST', '/api/toys', '', format('{"name": "", "tenantId": "%s"}', :'south'))), '(403,foreign_tenant)', '... another one is refused first');
SELECT is((SELECT body #> '{data,twin}' FROM test.ask(:'t', 'PATCH', '/api/toys/' || id, '', format('{"twinId": "%s"}', :'car'))), format('{"id": "%s", "name": "car"}', :'car')::jsonb, 'PATCH changes what is there'),
       is((SELECT body #> '{data,twin,name}' FROM test.ask(:'t', 'PATCH', '/api/toys/' || id, '', '{"name": "tram"}')), '"car"', '... leaves what is not'),
       is((SELECT body #> '{data,twin}' FROM test.ask(:'t', 'PATCH', '/api/toys/' || id, '', '{"twinId": null}')), 'null', '... and clears what is null')
  FROM (SELECT body #>> '{data,id}' AS id FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "patched"}') OFFSET 0) made;

-- What functions and tables refuse
SELECT is((SELECT (status, body ->> 'code', test.fields(body))::text FROM test.ask(:'t', 'POST', '/api/toys', '', asked)), expected, what)
  FROM (VALUES ('{"name": "car"}', '(409,duplicate,"name duplicate")', '23505'), ('{"name": "x", "size": 100}', '(400,invalid,"size invalid")', '23514'),
               ('{"name": "x", "size": 0}', '(400,required,"size required")', '23502'),
               (format('{"name": "x", "twinId": "%s"}', gen_random_uuid()), '(404,not_found,"twinId not_found")', '23503')) c (asked, expected, what);
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'DELETE', '/api/toys/' || :'car')), '(409,in_use)', '23503 of a row that is still needed');
SELECT is((SELECT body FROM test.ask(:'t', 'POST', '/api/toys/break', '', '{"sqlstate": "refuse"}')),
    '{"responseCode": "E", "responseMessage": "toy is broken", "code": "toy_broken", "errors": [{"field": "toy.partNo", "code": "toy_broken", "message": "toy is broken. It fell."}],
      "data": {"pieces": 2}, "requestId": "request-7"}', 'refuse() is the answer, with its data');
SELECT test.toys() AS toys \gset
SELECT is((SELECT body -> 'errors' -> 0 ->> 'message' FROM test.ask(:'t', 'POST', '/api/toys', body => '{"name": "x", "size": 100}')), 'must be below 100',
    'a table''s CHECK says what its COMMENT says');
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'POST', '/api/toys/break', '', format('{"sqlstate": "%s"}', sqlstate))), expected, sqlstate)
  FROM (VALUES ('refuse', '(422,toy_broken)'), ('22012', '(400,invalid)'), ('42501', '(500,internal)'), ('XX000', '(500,internal)'), ('P0001', '(500,internal)'),
               ('RG401', '(500,internal)'), ('no row', '(404,not_found)')) c (sqlstate, expected);
SELECT is(test.state_of(format($$ SELECT test.ask(%L, 'POST', '/api/toys/break', '', '{"sqlstate": "%s"}') $$, :'t', sqlstate)), sqlstate, sqlstate || ' is the shim''s')
  FROM unnest(ARRAY['40001', '40P01', '57014', '53100', '57P01', '08006']) sqlstate;
SELECT is(test.toys(), :toys, 'nothing of all this was written');
SELECT is((SELECT (status, content_type, headers, raw)::text FROM test.ask(:'t', 'POST', '/api/toys/count')), '(401,text/plain,"{X-Toy,1}",no)', 'an answer of the function''s own');
SELECT is(test.toys(), :toys + 1, '... keeps what was written');
SELECT throws_ok($$ SELECT relygate.refuse(200, 'fine', 'all is well') $$, '22023', NULL, 'a refusal has a status of its own');

-- Lists
DELETE FROM relygate.toys;
INSERT INTO relygate.toys (name, size) SELECT 'toy ' || n, n FROM generate_series(1, 25) n;
SELECT is(test.page(:'t', query), expected, query)
  FROM (VALUES ('', '200 20 toy 1 {"page": 1, "pageSize": 20, "totalItems": 25, "totalIsExact": true} more'),
               ('page=2', '200 5 toy 21 {"page": 2, "pageSize": 20, "totalItems": 25, "totalIsExact": true}'),
               ('pageSize=25', '200 25 toy 1 {"page": 1, "pageSize": 25, "totalItems": 25, "totalIsExact": true}'),
               ('page=99999', '200 0 - {"page": 99999, "pageSize": 20, "totalItems": 25, "totalIsExact": true}'),
               ('search=none', '200 0 - {"page": 1, "pageSize": 20, "totalItems": 0, "totalIsExact": true}'),
               ('search=toy+7', '200 1 toy 7 {"page": 1, "pageSize": 20, "totalItems": 25, "totalIsExact": true}')) c (query, expected);
SELECT body #>> '{pagination,nextCursor}' AS next FROM test.ask(:'t', 'GET', '/api/toys', 'pageSize=20&sort=size') \gset
SELECT is(test.page(:'t', 'pageSize=3&cursor=' || :'next'), '200 3 toy 21 {"pageSize": 3} more', 'a cursor goes on behind the last row, without totals');
SELECT is(test.page(:'t', 'cursor=' || :'next'), '200 5 toy 21 {"pageSize": 20}', '... to the end');
SELECT is((SELECT (status, test.fields(body))::text FROM test.ask(:'t', 'GET', '/api/toys', query)), expected, query)
  FROM (VALUES ('cursor=nonsense', '(400,"cursor invalid")'), ('cursor=', '(400,"cursor invalid")'), ('page=1&pageSize=0', '(400,"pageSize range")'),
               ('page=-1&pageSize=101&ids=x&limit=3', '(400,"ids invalid, limit unknown, page range, pageSize range")'), ('search=a&search=b', '(400,"search duplicate")'),
               ('search=%zz', '(400,"search escape")'), ('search=a%00b', '(400,"search nul")'), ('search=%C0%AF', '(400,"search utf8")')) c (query, expected);
SELECT is((SELECT (status, test.fields(body))::text FROM test.ask(:'t', 'GET', '/api/toys', 'sort=name&cursor=' || :'next')), '(400,"cursor conflict")', 'a cursor of another sort order');

-- Idempotency-Key
SELECT body AS first FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "once"}', ARRAY['Idempotency-Key', 'k1']) \gset
SELECT is((SELECT (status, body)::text FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "once"}', ARRAY['Idempotency-Key', 'k1'])), (201, :'first'::jsonb)::text, 'a repetition gets the first answer');
SELECT is((SELECT headers[1] FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "once"}', ARRAY['Idempotency-Key', 'k1'])), 'Location', '... with its headers');
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "other"}', ARRAY['Idempotency-Key', 'k1'])), '(422,idempotency_key_reused)', 'another body under the same key');
SELECT is((SELECT status FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "once"}', ARRAY['Idempotency-Key', 'k2'])), 409, 'a failure ...'),
       is((SELECT count(*)::int FROM relygate.idempotency_keys), 1, '... is not kept');
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "bad key"}', ARRAY['Idempotency-Key', repeat('k', 256)])), '(400,idempotency_key)', 'a key has bounds');
UPDATE relygate.idempotency_keys SET expires_at = now() - interval '1 second';
SELECT is((SELECT status FROM test.ask(:'t', 'POST', '/api/toys', '', '{"name": "again"}', ARRAY['Idempotency-Key', 'k1'])), 201, 'after its day a key is free again');

-- A token that is about to end
SELECT is((SELECT array_position(headers, 'X-New-Token') > 0 FROM test.ask(:'t', 'GET', '/api/toys', lives => '1 minute')), true, 'less than a quarter of its life left: a new token'),
       is((SELECT (status, array_position(headers, 'Cache-Control'))::text FROM test.ask(:'t', 'GET', '/api/toys', lives => '1 minute', headers => ARRAY['If-None-Match', '*'])),
          '(200,)', '... in an answer that no browser keeps'),
       is((SELECT array_position(headers, 'X-New-Token')::text FROM test.ask(:'t', 'GET', '/api/toys', lives => '7 hours')), NULL::text, 'a fresh one is kept'),
       is((SELECT array_position(headers, 'X-New-Token')::text FROM test.ask(ARRAY[:'north', :'maker', NULL]::uuid[], 'GET', '/api/toys', lives => '1 minute')), NULL::text, 'another issuer renews its own');

-- A call has the same outcome by the function's address and by a plan, which a type with a length, a computed DEFAULT, a dropped
-- attribute and another language need; and both ask for the right to call
RESET ROLE;
CREATE DOMAIN relygate.toy_kind AS text;
CREATE DOMAIN relygate.toy_code AS varchar(3);
CREATE FUNCTION relygate.kind_toy(kind relygate.toy_kind DEFAULT 'soft', code relygate.toy_code DEFAULT NULL) RETURNS TABLE (its_kind text, its_code text) LANGUAGE plpgsql STABLE AS
$$ BEGIN RETURN QUERY SELECT kind_toy.kind::text, kind_toy.code::text; END $$;
CREATE FUNCTION relygate.make_toy(kind relygate.toy_kind DEFAULT 'soft') RETURNS TABLE (its_kind text) LANGUAGE plpgsql VOLATILE AS
$$ BEGIN RETURN QUERY SELECT make_toy.kind::text; END $$;
CREATE TYPE relygate.toy_card AS (a text, gone int, c int);
CREATE FUNCTION relygate.plain_toy(kind relygate.toy_kind, size int DEFAULT 7, note text DEFAULT NULL) RETURNS SETOF relygate.toy_card LANGUAGE plpgsql STABLE AS
$$ BEGIN RETURN QUERY SELECT plain_toy.kind || coalesce(plain_toy.note, ' -'), 2, plain_toy.size; END $$;
CREATE FUNCTION relygate.noted_toy(kind relygate.toy_kind, note text DEFAULT 'of ' || current_setting('app.request_id')) RETURNS TABLE (its_kind text, its_note text) LANGUAGE plpgsql STABLE AS
$$ BEGIN RETURN QUERY SELECT noted_toy.kind::text, noted_toy.note; END $$;
CREATE FUNCTION relygate.no_toys(name text) RETURNS SETOF relygate.toy_card LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN; END $$;
GRANT EXECUTE ON FUNCTION relygate.plain_toy, relygate.noted_toy, relygate.no_toys, relygate.kind_toy, relygate.make_toy TO relygate_api;
INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, status, message, read_only)
VALUES ('GET', '/api/plain/{kind}', 'plain_toy', 'toys.read', 'object', 200, 'Plain', true), ('GET', '/api/noted/{kind}', 'noted_toy', 'toys.read', 'object', 200, 'Noted', true),
       ('GET', '/api/none/{name}', 'no_toys', 'toys.read', 'object', 200, 'None', true), ('GET', '/api/kinds', 'kind_toy', 'toys.read', 'object', 200, 'Kind', true),
       ('POST', '/api/made', 'make_toy', 'toys.read', 'object', 201, 'Made', false);
SELECT test.act_as(NULL);
SELECT is((SELECT body -> 'data' FROM test.ask(:'t', 'GET', '/api/kinds', 'code=abcdef')), '{"itsKind": "soft", "itsCode": "abc"}', 'a length is applied as a cast applies it');
SELECT is((SELECT body -> 'data' FROM test.ask(:'t', 'GET', '/api/plain/soft')), '{"a": "soft -", "gone": 2, "c": 7}', 'constant DEFAULTs are taken'),
       is((SELECT body -> 'data' FROM test.ask(:'t', 'GET', '/api/plain/soft', 'size=8&note=!')), '{"a": "soft!", "gone": 2, "c": 8}', '... and replaced'),
       is((SELECT body -> 'data' FROM test.ask(:'t', 'GET', '/api/noted/soft')), '{"itsKind": "soft", "itsNote": "of request-7"}', 'a computed DEFAULT is computed'),
       is((SELECT body -> 'data' FROM test.ask(:'t', 'GET', '/api/noted/soft', 'note=mine')), '{"itsKind": "soft", "itsNote": "mine"}', '... where nothing is given'),
       is((SELECT status FROM test.ask(:'t', 'GET', '/api/none/x')), 404, 'a function without RETURN QUERY has no row');
RESET ROLE;
ALTER DOMAIN relygate.toy_kind ADD CONSTRAINT kinds CHECK (VALUE IN ('soft', 'hard'));
SELECT test.act_as(NULL);
SELECT is((SELECT status FROM test.ask(:'t', 'GET', '/api/plain/liquid')), 400, 'a CHECK that a domain is given later holds'),
       is((SELECT body #>> '{data,a}' FROM test.ask(:'t', 'GET', '/api/plain/hard')), 'hard -', '... and lets pass'),
       is((SELECT status FROM test.ask(:'t', 'POST', '/api/made', '', '{"kind": "liquid"}')), 400, '... also where something is written'),
       is((SELECT body #>> '{data,itsKind}' FROM test.ask(:'t', 'POST', '/api/made', '', '{}')), 'soft', 'a DEFAULT that it lets pass is taken');
RESET ROLE;
ALTER DOMAIN relygate.toy_kind DROP CONSTRAINT kinds;
ALTER DOMAIN relygate.toy_kind ADD CONSTRAINT kinds CHECK (VALUE <> 'soft');
SELECT test.act_as(NULL);
SELECT is((SELECT status FROM test.ask(:'t', 'POST', '/api/made', '', '{}')), 400, '... and one that it does not is refused'),
       is((SELECT body #>> '{data,itsKind}' FROM test.ask(:'t', 'POST', '/api/made', '', '{"kind": "hard"}')), 'hard', '... beside another');
RESET ROLE;
ALTER DOMAIN relygate.toy_kind DROP CONSTRAINT kinds;
ALTER TYPE relygate.toy_card DROP ATTRIBUTE gone;
CREATE OR REPLACE FUNCTION relygate.plain_toy(kind relygate.toy_kind, size int DEFAULT 7, note text DEFAULT NULL) RETURNS SETOF relygate.toy_card LANGUAGE plpgsql STABLE AS
$$ BEGIN RETURN QUERY SELECT plain_toy.kind::text, plain_toy.size; END $$;
SELECT test.act_as(NULL);
SELECT is((SELECT body -> 'data' FROM test.ask(:'t', 'GET', '/api/plain/soft')), '{"a": "soft", "c": 7}', 'a dropped attribute is no member');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION relygate.noted_toy FROM relygate_api, PUBLIC;
SELECT test.act_as(NULL);
SELECT is((SELECT (status, body ->> 'code')::text FROM test.ask(:'t', 'GET', '/api/noted/soft', 'note=mine')), '(500,internal)', 'without the right to call it a function is not called');

SELECT * FROM finish();
ROLLBACK;
