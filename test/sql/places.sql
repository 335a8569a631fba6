-- Sites, locations, gates and hosts by SQL: the only site may be left out, the tree keeps its order, nothing in use goes.
BEGIN;
SELECT plan(37);

SELECT id AS south FROM relygate.create_tenant('P_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
SELECT id AS foreign_site FROM relygate.list_sites() \gset
SELECT id AS foreign_gate FROM relygate.create_gate('Pier') \gset
SELECT id AS north FROM relygate.create_tenant('P_NORTH', 'North', 'residential', 'Asia/Kolkata', 'IN') \gset
SELECT test.act_as(:'north');

-- Sites
SELECT id AS site FROM relygate.list_sites() \gset
SELECT is((SELECT effective_time_zone FROM relygate.get_site(:'site')), 'Asia/Kolkata', 'a site has the tenant''s zone');
SELECT is((SELECT time_zone FROM relygate.update_site(:'site', time_zone => 'Asia/Calcutta')), 'Asia/Calcutta', 'a name of the IANA database is taken');
SELECT throws_ok(format('SELECT relygate.update_site(%L, time_zone => %L)', :'site', zone), 'RG400', NULL, zone || ' is no zone of a site')
  FROM unnest(ARRAY['IST', 'UTC+05:30', 'Nonsense/Zone', 'foo5']) AS zone;
SELECT is((SELECT time_zone FROM relygate.update_site(:'site', given => '{time_zone}')), NULL, 'null clears a member that was given');
SELECT is((SELECT capacity FROM relygate.update_site(:'site', capacity => 10)), 10, 'a capacity is set');
SELECT is((SELECT capacity FROM relygate.update_site(:'site', name => 'Gardens')), 10, '... and stays where it was not given');
SELECT throws_ok(format('SELECT relygate.update_site(%L, given => ''{name}'')', :'site'), '23502', NULL, 'a name cannot be cleared');
SELECT is_empty(format('SELECT * FROM relygate.get_site(%L)', :'foreign_site'), 'another tenant''s site is not there');
SELECT is_empty(format('SELECT * FROM relygate.update_site(%L, name => ''Mine'')', :'foreign_site'), '... nor can be changed');

-- Gates
SELECT id AS gate FROM relygate.create_gate('Front') \gset
SELECT is((SELECT site_id FROM relygate.get_gate(:'gate')), :'site'::uuid, 'a gate stands at the only site');
SELECT is(relygate.gate_or_only(NULL, :'site', 'in'), :'gate'::uuid, 'the only gate may be left out');
SELECT throws_ok(format('SELECT relygate.gate_or_only(%L, %L, ''in'')', :'foreign_gate', :'site'), 'RG404', NULL, 'another tenant''s gate is no gate');
SELECT id AS way_out FROM relygate.create_gate('Back', direction => 'out') \gset
SELECT is(relygate.gate_or_only(NULL, :'site', 'in'), :'gate'::uuid, '... the only one for this way too');
SELECT throws_ok(format('SELECT relygate.gate_or_only(%L, %L, ''in'')', :'way_out', :'site'), 'RG422', NULL, 'nobody comes in by the way out');
SELECT is(relygate.gate_or_only(NULL, :'site', 'out'), NULL, 'with two ways out, which one it was may stay unknown');
SELECT relygate.create_gate('Side') \g /dev/null
SELECT throws_ok(format('SELECT relygate.gate_or_only(NULL, %L, ''in'')', :'site'), 'RG400', NULL, 'with two ways in the gate must be named');
SELECT is((SELECT count(*)::int FROM relygate.list_gates(direction => 'out')), 1, 'gates are filtered by direction');
SELECT is((SELECT array_agg(name) FROM relygate.list_gates(after => (SELECT _cursor FROM relygate.list_gates(page_limit => 1)))),
    ARRAY['Front', 'Side'], 'a list goes on after a cursor');
SELECT is((SELECT is_active FROM relygate.delete_gate(:'way_out')), false, 'a gate goes out of use');
SELECT throws_ok(format('SELECT relygate.gate_or_only(%L, %L, ''out'')', :'way_out', :'site'), 'RG422', NULL, '... and nobody goes through it');

-- Locations
SELECT id AS house FROM relygate.create_location('building', 'Block A') \gset
SELECT id AS floor FROM relygate.create_location('floor', 'First floor', parent_id => :'house') \gset
SELECT id AS flat FROM relygate.create_location('unit', 'A-101', parent_id => :'floor') \gset
SELECT is((SELECT parent_id FROM relygate.get_location(:'flat')), :'floor'::uuid, 'a unit stands in a floor');
SELECT throws_ok('SELECT relygate.create_location(''floor'', ''Nowhere'')', 'RG422', NULL, 'a floor stands in a building');
SELECT throws_ok(format('SELECT relygate.create_location(''building'', ''Inside'', parent_id => %L)', :'house'), 'RG422', NULL, 'a building stands in nothing');
SELECT throws_ok(format('SELECT relygate.create_location(''floor'', ''Second'', parent_id => %L)', :'flat'), 'RG422', NULL, 'kinds only descend');
SELECT throws_ok(format('SELECT relygate.update_location(%L, parent_id => %L)', :'floor', :'flat'), 'RG422', NULL, '... so the tree has no circle');
SELECT is((SELECT count(*)::int FROM relygate.list_locations(parent => :'house')), 1, 'locations below a parent');
SELECT throws_ok(format('SELECT relygate.delete_location(%L)', :'house'), 'RG409', NULL, 'a building with floors does not go');

-- Hosts
SELECT id AS host FROM relygate.create_host('resident', 'Meera', 'Iyer', mobile => '98450 12367', location_id => :'flat') \gset
SELECT is((SELECT mobile || ' ' || location_name FROM relygate.get_host(:'host')), '+919845012367 A-101', 'a host has a mobile and a unit');
SELECT is((SELECT count(*)::int FROM relygate.list_hosts(search => 'RA IY')), 1, 'hosts are found by any part of the name');
SELECT throws_ok('SELECT relygate.create_host(''employee'', ''Ravi'', location_id => gen_random_uuid())', 'RG404', 'no such location', 'a location that is not there');
SELECT is((SELECT mobile FROM relygate.update_host(:'host', given => '{mobile}')), NULL, 'a mobile can be cleared');
SELECT throws_ok(format('SELECT relygate.delete_location(%L)', :'flat'), 'RG409', NULL, 'a unit with hosts does not go');
SELECT is((SELECT is_active FROM relygate.delete_host(:'host')), false, 'a host goes out of use');
SELECT is((SELECT is_active FROM relygate.delete_location(:'flat')), false, '... and then the unit');

SELECT * FROM finish();
ROLLBACK;
