-- Visitors by SQL: one mobile for one registered person, documents kept as mask and hash, nobody inside vanishes.
BEGIN;
SELECT plan(50);

SELECT id AS south FROM relygate.create_tenant('W_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
SELECT id AS foreigner FROM relygate.create_visitor('Omar', mobile => '050 123 4567') \gset
SELECT id AS north FROM relygate.create_tenant('W_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT test.act_as(:'north');

-- Making and finding
SELECT id AS asha, registration_no, security_code FROM relygate.create_visitor('Asha', 'Menon', '098450-12367', 'asha@Example.IN') \gset
SELECT is((SELECT mobile || ' ' || email FROM relygate.get_visitor(:'asha')), '+919845012367 asha@example.in', 'mobile and e-mail are normalised');
SELECT matches(:'registration_no'::text, '^V-[A-HJ-NP-Z2-9]{8}$', 'a registration number has no letters to confuse');
SELECT matches(:'security_code'::text, '^\d{6}$', 'a security code has six digits');
SELECT is((SELECT security_code FROM relygate.list_visitors()), NULL, '... which no list shows');
SELECT is((SELECT category_name FROM relygate.get_visitor(:'asha')), 'Parent', 'the default category');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(search => word)), 1, 'found by ' || word)
  FROM unnest(ARRAY['asha', 'MENON', 'sha Men']) AS word;
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(search => 'Asha%')), 0, 'a wildcard is a letter like others');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(mobile => '98450 12367')), 1, 'found by the mobile in another spelling');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(mobile => '98450 12368')), 0, '... and not by another one');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(type => 'unregistered')), 0, 'filtered by type');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(inside => true)), 0, 'nobody is inside');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(inside => false)), 1, '... but one is known');
SELECT lives_ok($$ SELECT relygate.create_visitor(E'Jose\u0301', 'Alves', '9845012300') $$, 'a decomposed spelling');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(search => word)), 1, 'names are compared normalised and folded')
  FROM unnest(ARRAY[U&'Jos\00E9 Alves', U&'jose\0301 alves']) AS word;
SELECT is((SELECT _total::int FROM relygate.list_visitors(page_limit => 1, counting => true)), 2, 'the total counts all pages');
SELECT is((SELECT array_agg(id) FROM relygate.list_visitors(after => (SELECT _cursor FROM relygate.list_visitors(page_limit => 1)))),
    ARRAY[:'asha'::uuid], 'the newest first, and on after a cursor');
SELECT is_empty(format('SELECT * FROM relygate.get_visitor(%L)', :'foreigner'), 'another tenant''s visitor is not there');
SELECT is_empty(format('SELECT * FROM relygate.update_visitor(%L, last_name => ''Mine'')', :'foreigner'), '... cannot be changed');
SELECT is_empty(format('SELECT * FROM relygate.delete_visitor(%L)', :'foreigner'), '... nor deleted');
SELECT is_empty(format('SELECT * FROM relygate.get_visitor_status(%L)', :'foreigner'), '... and has no status');
SELECT throws_ok(format('SELECT relygate.visitor_visits(%L)', :'foreigner'), 'RG404', NULL, '... and no visits');

-- What is refused
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'')', 'RG400', 'a mobile is needed', 'the category asks for a mobile');
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'', mobile => ''12'')', 'RG400', NULL, 'a mobile that is none');
SELECT throws_ok('SELECT relygate.create_visitor(''<b>Ravi</b>'', mobile => ''9845012301'')', 'RG400', NULL, 'markup is no name');
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'', mobile => ''9845012301'', category_id => gen_random_uuid())', 'RG404', NULL, 'an unknown category');
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'', mobile => ''9845012301'', unit_id => gen_random_uuid())', 'RG404', NULL, 'an unknown unit');
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'', mobile => ''9845012301'', valid_from => ''2027-02-02'', valid_until => ''2027-02-01'')', 'RG400', NULL,
    'validity that ends before it begins');
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'', mobile => ''+919845012367'')', 'RG409', 'another visitor has this mobile',
    'a mobile belongs to one registered visitor');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors()), 2, 'nothing of it was written');

-- Documents
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'', mobile => ''9845012301'', document_no => ''K4821907'')', 'RG400', NULL, 'a number needs its type');
SELECT throws_ok('SELECT relygate.create_visitor(''Ravi'', mobile => ''9845012301'', document_type => ''aadhaar'', document_no => ''2363 8472 9105'')',
    'RG400', NULL, 'a wrong check digit');
SELECT id AS ravi FROM relygate.create_visitor('Ravi', mobile => '9845012301', document_type => 'aadhaar', document_no => '2363 8472 9104') \gset
SELECT matches((SELECT document_masked FROM relygate.get_visitor(:'ravi')), '^[^0-9]+9104$', 'only the last four are shown');
SELECT ok(NOT (to_jsonb(v)::text LIKE '%236384729104%'), '... and the number is stored nowhere') FROM relygate.visitors v WHERE v.id = :'ravi';
SELECT is((SELECT count(DISTINCT t.hash)::int FROM unnest(ARRAY['236384729104', '2363 8472 9104', '2363-8472-9104']) AS n
            CROSS JOIN relygate.document_traits('aadhaar', n) t), 1, 'all spellings give one hash');
SELECT is((SELECT document_type FROM relygate.update_visitor(:'ravi', given => '{document_no}')), NULL, 'a document can be cleared');

-- Changing, deleting, coming back
SELECT is((SELECT concat_ws(' ', first_name, last_name, mobile) FROM relygate.update_visitor(:'asha', last_name => 'Rao')), 'Asha Rao +919845012367',
    'what is given changes, the rest stays');
SELECT is((SELECT last_name FROM relygate.update_visitor(:'asha', given => '{last_name}')), NULL, 'a given null clears');
SELECT throws_ok(format('SELECT relygate.update_visitor(%L, given => ''{first_name}'')', :'asha'), '23502', NULL, '... but not a name');
SELECT throws_ok(format('SELECT relygate.update_visitor(%L, given => ''{mobile}'')', :'asha'), 'RG400', NULL, '... nor a mobile that is asked for');
SELECT is((SELECT is_active FROM relygate.delete_visitor(:'asha')), false, 'a visitor goes');
SELECT is((SELECT count(*)::int FROM relygate.list_visitors(search => 'asha')), 0, '... out of the list');
SELECT lives_ok('SELECT relygate.create_visitor(''Wali'', mobile => ''9845012367'')', '... and the mobile is free');
SELECT throws_ok(format('SELECT relygate.update_visitor(%L, is_active => true)', :'asha'), 'RG409', 'another visitor has this mobile',
    '... so the first one cannot come back with it');

-- Unregistered to registered
SELECT id AS uma FROM relygate.create_visitor('Uma', mobile => '9845012367', visitor_type => 'unregistered') \gset
SELECT throws_ok(format('SELECT relygate.register_visitor(%L)', :'uma'), 'RG409', 'another visitor has this mobile', 'families share phones, registered ones do not');
SELECT is((SELECT visitor_type || ' ' || mobile FROM relygate.register_visitor(:'uma', mobile => '9845012399')), 'registered +919845012399',
    'with a mobile of her own she is registered');
SELECT isnt((SELECT registration_no FROM relygate.get_visitor(:'uma')), NULL, '... and has a number');
SELECT throws_ok(format('SELECT relygate.register_visitor(%L)', :'uma'), 'RG409', 'visitor is registered already', '... once');

SELECT * FROM finish();
ROLLBACK;
