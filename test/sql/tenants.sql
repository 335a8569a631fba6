-- A new tenant is usable at once, belongs to itself alone, and is made by a DBA only.
BEGIN;
SELECT plan(21);

SELECT id AS school FROM relygate.create_tenant(code => 'T_SCHOOL', name => 'Test School', kind => 'school',
    time_zone => 'Asia/Kolkata', country => 'IN') \gset
SELECT is(current_setting('app.tenant_id'), :'school', 'the transaction works for the new tenant');
SELECT is((SELECT (code, name, kind, country, state, is_operator)::text FROM relygate.own_tenant()),
    '(T_SCHOOL,"Test School",school,IN,active,f)', 'its row');
SELECT is((SELECT count(*)::int FROM relygate.sites WHERE tenant_id = :'school'), 1, 'it has a site');
SELECT bag_eq(format($$ SELECT name::text FROM relygate.roles WHERE tenant_id = %L AND is_built_in $$, :'school'),
    ARRAY['tenant_admin', 'receptionist', 'security_guard', 'host', 'auditor'], 'it has the built-in roles but the platform''s');
SELECT is((SELECT count(*)::int FROM relygate.visitor_categories WHERE tenant_id = :'school' AND is_default), 1, 'one category is the default');
SELECT ok((SELECT asks_mobile FROM relygate.visitor_categories WHERE tenant_id = :'school' AND is_default), '... which asks for a mobile');
SELECT set_eq(format($$ SELECT kind::text FROM relygate.purposes WHERE tenant_id = %L $$, :'school'),
    ARRAY['visit', 'gate_pass', 'student', 'staff', 'vehicle'], 'a school has purposes of every kind');

SELECT is((SELECT user_name FROM relygate.create_user(user_name => 'head', password => 'Gate-keeper-7431', role => 'tenant_admin')),
    'head', 'the first user comes in the same transaction');

SELECT id AS operator FROM relygate.create_tenant(code => 'T_OPERATOR', name => 'Operator', kind => 'office',
    time_zone => 'Europe/Berlin', country => 'DE', is_operator => true) \gset
SELECT is((SELECT count(*)::int FROM relygate.roles WHERE tenant_id = :'operator' AND name = 'platform_admin'), 1,
    'the operator''s tenant has platform_admin');
SELECT ok('platform.write' = ANY (relygate.built_in_permissions('platform_admin')), '... with platform.write');
SELECT ok(NOT 'platform.write' = ANY (relygate.built_in_permissions('tenant_admin')), 'tenant_admin has it not');

SELECT is(kinds.n, 4, 'every kind of tenant gets categories and purposes')
  FROM (SELECT count(*)::int AS n FROM unnest(ARRAY['school', 'residential', 'office', 'hospital']) kind
         WHERE EXISTS (SELECT FROM relygate.default_visitor_categories(kind) WHERE is_default)
           AND EXISTS (SELECT FROM relygate.default_purposes(kind) p WHERE p.kind = 'visit')) kinds;

SELECT throws_ok($$ SELECT relygate.create_tenant('T_SCHOOL', 'Again', 'school', 'Asia/Kolkata', 'IN') $$, 'RG409', 'tenant code is taken',
    'a code is taken once');
SELECT throws_like($$ SELECT relygate.create_tenant('T_OTHER', 'Other', 'castle', 'Asia/Kolkata', 'IN') $$, '%', 'unknown kinds are refused');
SELECT throws_like($$ SELECT relygate.create_tenant('T_OTHER', 'Other', 'school', 'IST', 'IN') $$, '%', '... and abbreviated time zones');
SELECT throws_like($$ SELECT relygate.create_tenant('T_OTHER', 'Other', 'school', 'Asia/Kolkata', 'India') $$, '%', '... and names of countries');

SELECT test.act_as(:'school');
SELECT is((SELECT count(*)::int FROM relygate.tenants), 1, 'a tenant sees one tenant');
SELECT is(relygate.find_tenant('t_operator'), :'operator'::uuid, 'a login finds another tenant by code, in any case');
SELECT is(relygate.find_tenant(:'operator'), :'operator'::uuid, '... or by id');
SELECT is(relygate.find_tenant('00000000-0000-0000-0000-00000000'), NULL, '... or not at all');
SELECT throws_ok($$ SELECT relygate.insert_tenant(relygate.uuid_v7(), 'T_X', 'X', 'school', 'Asia/Kolkata', 'IN', true) $$, '42501', NULL,
    'the API cannot make a tenant');

SELECT * FROM finish();
ROLLBACK;
