-- Users by SQL: the rules are the same for a DBA, and nobody gives more than he has.
BEGIN;
SELECT plan(54);

SELECT id AS north FROM relygate.create_tenant('T_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT id AS admin FROM relygate.create_user('admin', 'Gate-keeper-7431', 'tenant_admin') \gset
SELECT id AS guard FROM relygate.create_user('guard', 'Gate-keeper-7431', 'security_guard', mobile => '098450 12367') \gset
INSERT INTO relygate.roles (name) VALUES ('Clerk') RETURNING id AS clerk_role \gset
INSERT INTO relygate.role_permissions (role_id, permission) VALUES (:'clerk_role', 'users.write'), (:'clerk_role', 'users.read');
SELECT id AS clerk FROM relygate.create_user('clerk', 'Gate-keeper-7431', 'clerk') \gset
SELECT id AS south FROM relygate.create_tenant('T_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
SELECT id AS stranger FROM relygate.create_user('admin', 'Gate-keeper-7431', 'tenant_admin') \gset

SELECT test.act_as(:'north', 'relygate_api', :'admin');
SELECT is((SELECT mobile FROM relygate.get_user(:'guard')), '+919845012367', 'a mobile is kept as E.164 of the tenant''s country');
SELECT is((SELECT permissions_of FROM relygate.permissions_of(:'clerk_role')), ARRAY['users.read', 'users.write'], 'a tenant''s own role has its rows');
SELECT is((SELECT count(*)::int FROM relygate.list_users()), 3, 'the list shows the tenant''s users');
SELECT is((SELECT _total::int FROM relygate.list_users(page_limit => 1, counting => true)), 3, '... and counts them');
SELECT is((SELECT array_agg(user_name) FROM relygate.list_users()), ARRAY['admin', 'clerk', 'guard'], '... by user name');
SELECT is((SELECT array_agg(user_name) FROM relygate.list_users(after => (SELECT _cursor FROM relygate.list_users(page_limit => 1)))),
    ARRAY['clerk', 'guard'], '... and goes on after a cursor');
SELECT is((SELECT array_agg(user_name) FROM relygate.list_users(search => 'GUA')), ARRAY['guard'], '... and is searched');
SELECT is((SELECT array_agg(user_name) FROM relygate.list_users(role => 'tenant_admin')), ARRAY['admin'], '... and filtered by role');
SELECT is_empty(format('SELECT * FROM relygate.get_user(%L)', :'stranger'), 'another tenant''s user is not there');
SELECT is_empty(format('SELECT * FROM relygate.update_user(%L, is_active => false)', :'stranger'), '... nor can be changed');

SELECT throws_ok($$ SELECT relygate.create_user('GUARD', 'Gate-keeper-7431', 'host') $$, 'RG409', 'user name is taken', 'a user name is taken in any case of letters');
SELECT throws_ok($$ SELECT relygate.create_user('other', 'Gate-keeper-7431', 'emperor') $$, 'RG400', 'unknown role', 'an unknown role');
SELECT throws_ok($$ SELECT relygate.create_user('other', 'weak', 'host') $$, 'RG400', NULL, 'a weak password');
SELECT throws_ok($$ SELECT relygate.create_user('Gate-keeper-7431', 'Gate-keeper-7431', 'host') $$, 'RG400', NULL, 'the user name as a password');
SELECT throws_ok(format('SELECT relygate.update_user(%L, is_active => false)', :'admin'), 'RG409', NULL, 'nobody closes his own account');
SELECT throws_ok(format('SELECT relygate.update_user(%L, role => ''host'')', :'admin'), 'RG409', NULL, '... nor changes his own role');

SELECT test.act_as(:'north', 'relygate_api', :'clerk');
SELECT throws_ok($$ SELECT relygate.create_user('other', 'Gate-keeper-7431', 'tenant_admin') $$, 'RG403', NULL, 'users.write does not make administrators');
SELECT throws_ok(format('SELECT relygate.update_user(%L, password => ''Another-9-word'')', :'admin'), 'RG403', NULL, '... nor takes over one');
SELECT throws_ok(format('SELECT relygate.sign_out_user(%L)', :'admin'), 'RG403', NULL, '... nor signs one out');
SELECT throws_ok(format('SELECT relygate.unlock_user(%L)', :'admin'), 'RG403', NULL, '... nor lets anyone go on guessing its password');
SELECT is((SELECT role FROM relygate.create_user('other', 'Gate-keeper-7431', 'CLERK')), 'Clerk', 'its own role it may give');

-- Roles: somebody with roles.write alone, who may change the very role that he holds.
SELECT test.act_as(:'north', 'relygate_owner');
INSERT INTO relygate.roles (name) VALUES ('Keeper') RETURNING id AS keeper_role \gset
INSERT INTO relygate.role_permissions (role_id, permission) VALUES (:'keeper_role', 'roles.write'), (:'keeper_role', 'roles.read'), (:'keeper_role', 'users.write');
INSERT INTO relygate.roles (name) VALUES ('Higher') RETURNING id AS higher_role \gset
INSERT INTO relygate.role_permissions (role_id, permission) VALUES (:'higher_role', 'roles.write'), (:'higher_role', 'audit.read');
INSERT INTO relygate.roles (name) VALUES ('Lower') RETURNING id AS lower_role \gset
SELECT test.act_as(NULL, 'postgres');
SELECT set_config('app.tenant_id', :'north', true) \gset
SELECT id AS keeper FROM relygate.create_user('keeper', 'Gate-keeper-7431', 'Keeper') \gset
SELECT test.act_as(:'north', 'relygate_api', :'keeper');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, permissions => ARRAY['roles.read', 'roles.write', 'audit.read']) $$, :'keeper_role'),
    'RG403', NULL, 'nobody gives his own role what he does not have');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, permissions => (SELECT array_agg(permission) FROM relygate.list_permissions())) $$, :'keeper_role'),
    'RG403', NULL, '... nor all there is');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, name => 'Master', permissions => ARRAY['audit.read']) $$, :'keeper_role'),
    'RG403', NULL, '... nor in exchange, under another name');
SELECT throws_ok(format($$ SELECT relygate.give_permissions(%L, ARRAY['roles.write', 'audit.read']) $$, :'keeper_role'), 'RG403', NULL, '... nor by the inner function');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, permissions => ARRAY['platform.write']) $$, :'keeper_role'), 'RG400', NULL, 'platform.* is no role''s of a tenant');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, permissions => ARRAY['roles.write', NULL]) $$, :'keeper_role'), 'RG400', NULL, 'null is no permission');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, permissions => ARRAY['audit.read']) $$, :'lower_role'), 'RG403', NULL, 'another role gets no more than he has');
SELECT throws_ok($$ SELECT relygate.create_role('Made up', ARRAY['audit.read']) $$, 'RG403', NULL, '... nor a new one');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, permissions => ARRAY['roles.write']) $$, :'higher_role'), 'RG403', NULL, 'a role that can do more is not taken down');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, name => 'Renamed') $$, :'higher_role'), 'RG403', NULL, '... nor renamed');
SELECT throws_ok(format($$ SELECT relygate.delete_role(%L) $$, :'higher_role'), 'RG403', NULL, '... nor deleted');
SELECT throws_ok($$ SELECT relygate.create_user('other2', 'Gate-keeper-7431', 'Higher') $$, 'RG403', NULL, '... nor given');
SELECT is((SELECT permissions FROM relygate.get_role(:'keeper_role')), ARRAY['roles.read', 'roles.write', 'users.write'], 'nothing of that has changed his own');
SELECT is((SELECT permissions FROM relygate.update_role(:'keeper_role', permissions => ARRAY['roles.write', 'roles.read'])), ARRAY['roles.read', 'roles.write'],
    'less he may give, his own role too');

SELECT test.act_as(:'north', 'relygate_api', :'admin');
SELECT is((SELECT (first_name, last_name, is_active)::text FROM relygate.update_user(:'guard', first_name => 'Asha', last_name => 'Rao')),
    '(Asha,Rao,t)', 'what is given changes');
SELECT is((SELECT (first_name, last_name)::text FROM relygate.update_user(:'guard', first_name => NULL, given => ARRAY['first_name'])),
    '(,Rao)', 'given and null clears');
SELECT throws_ok(format($$ SELECT relygate.update_user(%L, given => ARRAY['is_active']) $$, :'guard'), '23502', NULL, '... but not what is needed');
SELECT throws_ok(format($$ SELECT relygate.update_user(%L, given => ARRAY['role']) $$, :'guard'), '23502', NULL, '... the role');
SELECT throws_ok(format($$ SELECT relygate.update_user(%L, given => ARRAY['password']) $$, :'guard'), '23502', NULL, '... the password');
SELECT throws_ok($$ SELECT relygate.create_user('other3', 'other3', 'emperor') $$, 'RG400', NULL, 'a direct call is refused at the first error');
SELECT lives_ok($$ SELECT relygate.checks_done() $$, 'checks_done does nothing in a direct call');
SELECT is((SELECT is_active FROM relygate.delete_user(:'guard')), false, 'a deleted user is closed');
SELECT ok(EXISTS (SELECT FROM relygate.get_user(:'guard')), '... and still there');
SELECT throws_ok(format('DELETE FROM relygate.users WHERE id = %L', :'guard'), '42501', NULL, 'the API deletes no user');
SELECT throws_ok(format($$ INSERT INTO relygate.users (user_name, password_hash, role_id) VALUES ('plain', 'secret', %L) $$, :'clerk_role'), '23514', NULL,
    'a password in clear cannot be stored');

-- Permissions: what a route asks for, no more.
SELECT is_empty($$ SELECT permission FROM relygate.product_permissions() WHERE permission NOT LIKE 'platform.%'
    EXCEPT SELECT permission FROM relygate.product_routes $$, 'every permission of the product is asked for by a route');
SELECT is_empty($$ SELECT permission FROM relygate.product_routes WHERE permission LIKE '%.%' EXCEPT SELECT permission FROM relygate.product_permissions() $$,
    '... and every one that is asked for is a permission');
SELECT is_empty($$ SELECT role, p FROM relygate.built_in_roles() b, unnest(b.permissions) p EXCEPT SELECT b.role, k.permission FROM relygate.built_in_roles() b, relygate.product_permissions() k $$,
    '... and built-in roles have no others');
SELECT test.act_as(:'north', 'relygate_owner');
INSERT INTO relygate.roles (name) VALUES ('Old') RETURNING id AS old_role \gset
INSERT INTO relygate.role_permissions (role_id, permission) VALUES (:'old_role', 'pii.read'), (:'old_role', 'visits.read'), (:'old_role', 'lunch.read');
SELECT test.act_as(:'north', 'relygate_api', :'admin');
SELECT is((SELECT permissions FROM relygate.get_role(:'old_role')), ARRAY['visits.read'], 'a permission of 1.0.0 that no route asks for is not shown');
SELECT is((SELECT name FROM relygate.update_role(:'old_role', name => 'Older')), 'Older', '... nor in the way of a change');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, permissions => ARRAY['pii.read']) $$, :'old_role'), 'RG400', 'unknown permission', '... nor given');
RESET ROLE;
INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only) VALUES ('GET', '/api/lunch', 'list_visits', 'lunch.read', 'list', true);
SELECT test.act_as(:'north', 'relygate_api', :'admin');
SELECT is((SELECT array_agg(permission) FROM relygate.list_permissions() WHERE permission LIKE 'lunch.%' OR permission LIKE 'platform.%'), ARRAY['lunch.read'],
    'what a DBA''s route asks for is a permission');
SELECT throws_ok(format($$ SELECT relygate.update_role(%L, name => 'Oldest') $$, :'old_role'), 'RG403', NULL, '... that counts');

SELECT * FROM finish();
ROLLBACK;
