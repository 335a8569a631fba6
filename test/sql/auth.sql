-- Logins, sessions, tokens and keys by SQL.
BEGIN;
SELECT plan(38);

SELECT id AS north FROM relygate.create_tenant('T_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT id AS guard FROM relygate.create_user('guard', 'Gate-keeper-7431', 'security_guard') \gset
SELECT id AS south FROM relygate.create_tenant('T_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset

CREATE FUNCTION pg_temp.body(a relygate.answer) RETURNS jsonb LANGUAGE sql AS $$ SELECT convert_from(a.body, 'UTF8')::jsonb $$;
CREATE FUNCTION pg_temp.part(token text, place int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT convert_from(decode(rpad(translate(part, '-_', '+/'), (length(part) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb
      FROM split_part(token, '.', place) part $$;

-- Login
SELECT test.act_as(NULL);
SELECT pg_temp.body(relygate.login('T_NORTH', 'guard', 'Gate-keeper-7431')) #>> '{data,refreshToken}' AS forged_for \gset
SELECT test.act_as(NULL);
SELECT relygate.login('T_NORTH', 'guard', 'Gate-keeper-7431') AS answer \gset
SELECT is((:'answer'::relygate.answer).status, 200, 'the right password logs in');
SELECT pg_temp.body(:'answer') #>> '{data,token}' AS token, pg_temp.body(:'answer') #>> '{data,refreshToken}' AS refresh \gset
SELECT pg_temp.part(:'token', 2) AS claims, pg_temp.part(:'token', 1) AS header \gset
SELECT is(:'claims'::jsonb ->> 'tenant_id', :'north', 'the token is of the tenant');
SELECT is(:'claims'::jsonb ->> 'sub', :'guard', '... of the user');
SELECT is(:'claims'::jsonb ->> 'role', 'security_guard', '... with the role');
SELECT is((:'claims'::jsonb ->> 'exp')::bigint - (:'claims'::jsonb ->> 'iat')::bigint,
    extract(epoch FROM current_setting('relygate.token_lifetime')::interval)::bigint, '... for the configured time');
SELECT is(:'claims'::jsonb ->> 'iss', current_setting('relygate.token_issuer'), '... of the configured issuer');
SELECT is(:'header'::jsonb ->> 'alg', 'ES256', 'ES256 signs it');
SELECT ok(relygate.jwks()::jsonb -> 'keys' @> jsonb_build_array(jsonb_build_object('kid', :'header'::jsonb ->> 'kid')), 'by a published key');
SELECT is((SELECT count(*)::int FROM relygate.sessions WHERE id = (:'claims'::jsonb ->> 'sid')::uuid AND revoked_at IS NULL), 1, 'the session is live');
SELECT ok(NOT EXISTS (SELECT FROM relygate.sessions s WHERE :'refresh' = encode(s.refresh_hash, 'escape')), 'the refresh token itself is not kept');

SELECT test.act_as(NULL);
SELECT is((relygate.login('T_NORTH', 'guard', 'Wrong-1-password')).status, 401, 'a wrong password does not');
SELECT test.act_as(NULL);
SELECT is((relygate.login('T_NORTH', 'nobody', 'Gate-keeper-7431')).status, 401, 'an unknown user does not');
SELECT is((relygate.login('T_NOWHERE', 'guard', 'Gate-keeper-7431')).status, 401, 'an unknown tenant does not');
SELECT test.act_as(NULL);
SELECT is((relygate.login('T_SOUTH', 'guard', 'Gate-keeper-7431')).status, 401, 'another tenant''s user does not');

-- Refresh
SELECT test.act_as(NULL);
SELECT is((relygate.refresh(overlay(:'forged_for' PLACING repeat('A', 43) FROM 44))).status, 401, 'the names of a tenant and a session are no token [refresh-digest]');
SELECT test.act_as(NULL);
SELECT relygate.refresh(:'refresh') AS answer \gset
SELECT is((:'answer'::relygate.answer).status, 200, 'a refresh token gives a new pair');
SELECT pg_temp.body(:'answer') #>> '{data,refreshToken}' AS second \gset
SELECT isnt(:'second'::text, :'refresh', 'the refresh token rotates');
SELECT test.act_as(NULL);
SELECT is((relygate.refresh(:'refresh')).status, 401, 'the first one is used up');
SELECT is((SELECT revoked_at IS NOT NULL FROM relygate.sessions WHERE id = (:'claims'::jsonb ->> 'sid')::uuid), true, 'showing it again ends the session [refresh-once]');
SELECT test.act_as(NULL);
SELECT is((relygate.refresh(:'second')).status, 401, '... for the newer token as well [refresh-once]');
SELECT test.act_as(NULL);
SELECT is((relygate.refresh(repeat('A', 86))).status, 401, 'a made-up token is refused');
SELECT is((relygate.refresh('x')).status, 401, '... and any text');

-- Lock
SELECT test.act_as(NULL);
SELECT is(array_agg((relygate.login('T_NOWHERE', 'locked', 'x')).status), ARRAY[401, 401, 401, 401, 401, 423, 423], 'five failures lock an unknown name [login-lock]')
  FROM generate_series(1, 7);
SELECT is((relygate.login('t_nowhere', 'LOCKED', 'x')).headers[1], 'Retry-After', 'whatever its spelling, and say for how long [login-lock]');
SELECT relygate.clear_login_attempts('T_NOWHERE', 'locked');
SELECT is((relygate.login('T_NOWHERE', 'locked', 'x')).status, 401, 'until it is unlocked');
RESET ROLE;
UPDATE relygate_global.login_failures SET locked_until = now() - interval '1 second', failures = 5
 WHERE digest = sha256(convert_to(E't_nowhere\nlocked', 'UTF8'));
SELECT test.act_as(NULL);
SELECT is((relygate.login('T_NOWHERE', 'locked', 'x')).status, 401, '... or the time is over');

-- Tokens are of the current tenant only
SELECT test.act_as(:'south');
SELECT is(pg_temp.part((relygate.sign_token(:'guard', relygate.uuid_v7(), 'platform_admin')).token, 2) ->> 'tenant_id', :'south',
    'sign_token makes tokens of the current tenant alone');
SELECT test.act_as(NULL);
SELECT throws_ok(format('SELECT relygate.sign_token(%L, %L, ''x'')', :'guard', :'guard'), 'RG401', NULL, '... and of none without a context');

-- Keys
SELECT throws_ok('SELECT private_jwk FROM relygate_global.signing_keys', '42501', NULL, 'the API cannot read private keys [signing-keys-closed]');
SELECT throws_ok('SELECT secret FROM relygate_global.signing_keys', '42501', NULL, '... nor secrets [signing-keys-closed]');
SELECT throws_ok(test.undone('SELECT relygate.rotate_signing_key(''token'')'), '42501', NULL, '... nor rotate them [revoked-from-public]');
SELECT throws_ok('SELECT * FROM relygate_global.login_failures', '42501', NULL, '... nor read who failed [login-failures-closed]');
SELECT test.act_as(:'north');
SELECT relygate.keyed_hash('document_hash', 'pan:ABCPE1234F') AS hash \gset
SELECT is(relygate.keyed_hash('document_hash', 'pan:ABCPE1234F'), :'hash'::bytea, 'equal values have one keyed hash');
SELECT test.act_as(:'south');
SELECT isnt(relygate.keyed_hash('document_hash', 'pan:ABCPE1234F'), :'hash'::bytea, '... in one tenant; another tenant''s differs [keyed-hash-of-tenant]');

RESET ROLE;
SELECT relygate.rotate_signing_key('token') AS new_kid \gset
SELECT is(jsonb_array_length(relygate.jwks()::jsonb -> 'keys'), 2, 'after a rotation both keys are published');
SELECT throws_ok('SELECT relygate.rotate_signing_key(''document_hash'')', '0A000', NULL, 'the key of documents stays');
SELECT relygate.rotate_signing_key('token', compromised => true) AS only_kid \gset
SELECT is(relygate.jwks()::jsonb #>> '{keys,0,kid}', :'only_kid', 'a compromised key goes at once');
SELECT is(relygate.hmac_sha256('Jefe', 'what do ya want for nothing?'), '\x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    'HMAC-SHA-256 as RFC 4231, test case 2, has it');

SELECT * FROM finish();
ROLLBACK;
