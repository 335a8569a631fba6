-- Categories and purposes by SQL: names are unique among the active ones, whatever their case.
BEGIN;
SELECT plan(20);

SELECT id AS south FROM relygate.create_tenant('V_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
SELECT id AS foreign_purpose FROM relygate.create_purpose('Mooring') \gset
SELECT id AS north FROM relygate.create_tenant('V_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT test.act_as(:'north');

SELECT id AS mooring FROM relygate.create_purpose('Mooring') \gset
SELECT isnt(:'mooring'::uuid, :'foreign_purpose'::uuid, 'two tenants may have one word each');
SELECT throws_ok('SELECT relygate.create_purpose(''MOORING'')', 'RG409', NULL, 'within a tenant it is taken in any case of letters');
SELECT lives_ok('SELECT relygate.create_purpose(''Mooring'', ''vehicle'')', '... but free in another kind');
SELECT throws_ok($$ SELECT relygate.create_purpose(E'\tmooring ') $$, 'RG409', NULL, '... and blanks around do not make it another');
SELECT is((SELECT position FROM relygate.create_purpose('Last')), (SELECT max(position) + 1 FROM relygate.list_purposes('visit', page_limit => 100)),
    'a new one stands at the end');
SELECT is((SELECT array_agg(DISTINCT kind) FROM relygate.list_purposes('staff')), ARRAY['staff'], 'purposes of a kind');
SELECT is((SELECT name FROM relygate.update_purpose(:'mooring', name => 'mooring')), 'mooring', 'its own spelling may change');
SELECT is((SELECT is_active FROM relygate.delete_purpose(:'mooring')), false, 'a purpose goes out of use');
SELECT lives_ok('SELECT relygate.create_purpose(''Mooring'')', '... and its name is free again');
SELECT throws_ok(format('SELECT relygate.update_purpose(%L, is_active => true)', :'mooring'), 'RG409', NULL, '... so it cannot come back');
SELECT is_empty(format('SELECT * FROM relygate.update_purpose(%L, name => ''Mine'')', :'foreign_purpose'), 'another tenant''s purpose is not there');
SELECT is_empty(format('SELECT * FROM relygate.delete_purpose(%L)', :'foreign_purpose'), '... nor can be deleted');

SELECT is((SELECT count(*)::int FROM relygate.list_visitor_categories(page_limit => 100) WHERE is_default), 1, 'one category is the default');
SELECT id AS pilgrim FROM relygate.create_visitor_category('Pilgrim', asks_mobile => false, is_default => true) \gset
SELECT is((SELECT array_agg(id) FROM relygate.list_visitor_categories(page_limit => 100) WHERE is_default), ARRAY[:'pilgrim'::uuid],
    'a new default takes the place of the old one');
SELECT throws_ok('SELECT relygate.create_visitor_category(''pilgrim'')', 'RG409', NULL, 'a category''s name is taken');
SELECT lives_ok('SELECT relygate.create_visitor(''Ravi'')', 'the default category waives the mobile');
SELECT throws_ok(format('SELECT relygate.delete_visitor_category(%L)', :'pilgrim'), 'RG409', NULL, 'the default category cannot be deleted');
SELECT relygate.create_visitor_category('Usual', is_default => true) \g /dev/null
SELECT is((SELECT is_active FROM relygate.delete_visitor_category(:'pilgrim')), false, 'one that was the default can');
SELECT is((SELECT category_name FROM relygate.list_visitors(search => 'ravi')), 'Pilgrim', '... but those who have it keep it');
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'')', 'RG400', 'a mobile is needed', 'the new default asks for a mobile');

SELECT * FROM finish();
ROLLBACK;
