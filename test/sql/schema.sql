-- The tables: keys begin with the tenant, everything is protected, and what two gates may do at once an index decides.
BEGIN;
SELECT plan(48);

CREATE TEMP VIEW tenant_tables AS
SELECT c.oid, c.relname FROM pg_class c
 WHERE c.relnamespace = 'relygate'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');

SELECT bag_eq('SELECT relname::text FROM tenant_tables',
    ARRAY['tenants', 'sites', 'tenant_settings', 'users', 'roles', 'role_permissions', 'sessions', 'idempotency_keys', 'locations', 'gates',
          'hosts', 'visitor_categories', 'purposes', 'visitors', 'visits', 'visit_departures', 'audit_log', 'audit_seals'], 'the tables [dump-tables]');
SELECT is_empty($$ SELECT t.relname FROM tenant_tables t JOIN pg_class c ON c.oid = t.oid WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity) $$,
    'each has row-level security, forced');
SELECT is_empty($$ SELECT t.relname FROM tenant_tables t WHERE t.relname <> 'tenants' AND NOT EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id' AND a.attnotnull AND a.atttypid = 'uuid'::regtype) $$,
    'each has a tenant_id that is never null');
SELECT is_empty($$ SELECT i.indexrelid::regclass FROM pg_index i JOIN tenant_tables t ON t.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE t.relname <> 'tenants' AND a.attname <> 'tenant_id' $$, 'each index begins with it');
SELECT is_empty($$ SELECT i.indexrelid::regclass FROM pg_index i JOIN tenant_tables t ON t.oid = i.indrelid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_proc'::regclass $$,
    '... none calls a function of ours: a restore builds indexes before rights on functions');
SELECT is_empty($$ SELECT k.conrelid::regclass, k.conname FROM pg_constraint k JOIN tenant_tables t ON t.oid = k.conrelid
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE k.contype = 'f' AND a.attname <> 'tenant_id' $$, 'each foreign key carries it');
SELECT is_empty($$ SELECT k.conrelid::regclass, k.conname FROM pg_constraint k JOIN tenant_tables t ON t.oid = k.conrelid
    WHERE k.contype = 'f' AND cardinality(k.conkey) > 1 AND NOT EXISTS (
        SELECT FROM pg_index i CROSS JOIN LATERAL (SELECT array_agg(u.n) AS keys FROM unnest(i.indkey::int2[]) WITH ORDINALITY u (n, place)
             WHERE u.place <= i.indnkeyatts) c
         WHERE i.indrelid = k.conrelid AND k.conkey[cardinality(k.conkey)] = ANY (c.keys[1:3])) $$, '... and has an index');
SELECT is_empty($$ SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN tenant_tables t ON t.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND (y.typtype = 'e' OR y.typname = 'numeric') $$, 'no enum and no numeric: under RLS they use no index');
SELECT is_empty($$ SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'relygate'::regnamespace AND c.relkind IN ('r', 'p') AND a.attstattarget <> 0
      AND a.attname IN ('first_name', 'last_name', 'mobile', 'email', 'document_hash', 'document_masked', 'vehicle_no', 'registration_no', 'security_code',
                        'search_name', 'user_name', 'login_name', 'password_hash', 'changes', 'client_address')
      AND c.relname <> 'sessions' $$, 'personal columns have no statistics');
SELECT is_empty($$ SELECT t.relname FROM tenant_tables t WHERE obj_description(t.oid, 'pg_class') IS NULL $$, 'each table is described');
SELECT is_empty($$ SELECT t.relname FROM tenant_tables t JOIN pg_class c ON c.oid = t.oid
    WHERE pg_get_userbyid(c.relowner) <> CASE WHEN t.relname IN ('audit_log', 'audit_seals') THEN 'relygate_audit' ELSE 'relygate_owner' END $$, 'each has the right owner');
SELECT is_empty($$ SELECT t.relname, r.role, p.right FROM tenant_tables t, unnest(ARRAY['relygate_api', 'relygate_shim', 'relygate_reporting', 'relygate_platform']) r (role),
    unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) p ("right") WHERE has_table_privilege(r.role, t.oid, p.right) $$, 'nobody may truncate, refer to them or hang triggers on them');
SELECT is_empty($$ SELECT t.relname FROM tenant_tables t WHERE t.relname NOT IN ('audit_log', 'audit_seals', 'sessions', 'idempotency_keys', 'visit_departures')
    AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid AND g.tgfoid = 'relygate.audit_row()'::regprocedure) $$, 'each is audited');
SELECT is_empty('SELECT * FROM relygate.validate_schema()', 'validate_schema finds nothing [whole]');
-- A dump of an extension is its CREATE EXTENSION: what has rows or stands guard belongs to the migrations.
SELECT is_empty($$ SELECT pg_describe_object(classid, objid, 0) FROM pg_depend WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'relygate')
    AND classid = 'pg_event_trigger'::regclass $$, 'the guard is dumped [dump-guard]');
SELECT is_empty($$ SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
    WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'relygate') AND d.classid = 'pg_class'::regclass
      AND c.relkind IN ('r', 'p') AND c.relname <> 'product_routes' $$, 'rows of tenants are dumped [dump-tables]');

-- What the rules of a table refuse, to everybody ------------------------------------------------------------------------
SELECT id AS south FROM relygate.create_tenant('S_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
INSERT INTO relygate.visitors (tenant_id, first_name) VALUES (:'south', 'Omar') RETURNING id AS foreign_visitor \gset
SELECT id AS north FROM relygate.create_tenant('S_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT test.act_as(:'north');
SELECT id AS site FROM relygate.sites \gset
PREPARE register(text, text) AS INSERT INTO relygate.visitors (visitor_type, first_name, mobile, registration_no)
    VALUES ('registered', $1, $2, 'V-' || $1);
SELECT lives_ok($$ EXECUTE register('Asha', '9845012367') $$, 'a registered visitor');
SELECT throws_ok($$ EXECUTE register('Tara', '+91 98450 12367') $$, '23505', NULL, 'no second one with this mobile, in any spelling');
SELECT lives_ok($$ UPDATE relygate.visitors SET is_active = false WHERE first_name = 'Asha' $$, 'who is taken out of use');
SELECT lives_ok($$ EXECUTE register('Tara', '9845012367') $$, '... frees the mobile');
SELECT lives_ok($$ INSERT INTO relygate.visitors (first_name, mobile) VALUES ('Vikram', '9845012367') $$, 'families share phones');
SELECT throws_ok($$ INSERT INTO relygate.visitors (first_name, mobile) VALUES ('VIKRAM', '098450 12367') $$, '23505', NULL, 'two taps are one person');
SELECT lives_ok($$ INSERT INTO relygate.visitors (first_name) VALUES ('Vikram'), ('Vikram') $$, 'without a mobile nobody is the same person');
SELECT throws_ok($$ INSERT INTO relygate.visitors (visitor_type, first_name) VALUES ('registered', 'Zara') $$, '23514', NULL, 'a registered visitor has a number');
SELECT throws_ok($$ INSERT INTO relygate.visitors (first_name, document_type) VALUES ('Zara', 'passport') $$, '23514', NULL, 'a document has its type, mask and hash');
SELECT throws_ok($$ INSERT INTO relygate.visitors (first_name, valid_from, valid_until) VALUES ('Zara', '2026-02-02', '2026-02-01') $$, '23514', NULL, 'a validity ends after it begins');

SELECT id AS visitor FROM relygate.visitors WHERE first_name = 'Tara' \gset
PREPARE visit(uuid, text) AS INSERT INTO relygate.visits (site_id, visitor_id, state) SELECT s.id, $1, $2 FROM relygate.sites s;
SELECT lives_ok(format($$ EXECUTE visit(%L, 'pending') $$, :'visitor'), 'a visit');
SELECT throws_ok(format($$ EXECUTE visit(%L, 'checked_in') $$, :'visitor'), '23505', NULL, 'one open visit a visitor');
SELECT throws_ok(format($$ EXECUTE visit(%L, 'checked_in') $$, :'foreign_visitor'), '23503', NULL, 'no visit of another tenant''s visitor');
SELECT throws_ok($$ UPDATE relygate.visits SET group_size = 0 $$, '23514', NULL, 'a group has people');
SELECT throws_ok($$ UPDATE relygate.visits SET checked_in_at = now() $$, '23514', NULL, 'a pending visit has no time of check-in');
SELECT throws_ok($$ UPDATE relygate.visits SET requested_at = NULL $$, '23502', NULL, 'a visit was asked for at a time');
UPDATE relygate.visits SET state = 'checked_in';
UPDATE relygate.visits SET state = 'checked_out';
SELECT throws_ok($$ UPDATE relygate.visits SET checked_out_at = checked_in_at - interval '1 second' $$, '23514', NULL, 'nobody leaves before coming');
SELECT throws_ok($$ UPDATE relygate.visits SET badge_no = '1234' $$, '23514', NULL, 'a badge number belongs to a day');

SELECT id AS second_site FROM (SELECT relygate.uuid_v7() AS id) s \gset
INSERT INTO relygate.sites (id, name) VALUES (:'second_site', 'Annexe');
INSERT INTO relygate.gates (site_id, name) VALUES (:'second_site', 'Back') RETURNING id AS back \gset
SELECT throws_ok(format('UPDATE relygate.visits SET gate_out_id = %L', :'back'), '23503', NULL, 'a gate of another site is none of this visit');
SELECT throws_ok(format($$ INSERT INTO relygate.gates (site_id, name) VALUES (%L, 'BACK') $$, :'second_site'), '23505', NULL, 'names of gates, case aside, once a site');
SELECT lives_ok(format($$ INSERT INTO relygate.gates (site_id, name) VALUES (%L, 'Back') $$, :'site'), '... another site may have the same');
SELECT throws_ok($$ INSERT INTO relygate.sites (name) VALUES ('annexe') $$, '23505', NULL, 'names of sites once');
INSERT INTO relygate.locations (site_id, kind, name) VALUES (:'site', 'building', 'Block A') RETURNING id AS block \gset
SELECT throws_ok(format($$ INSERT INTO relygate.locations (site_id, kind, name) VALUES (%L, 'building', 'block a') $$, :'site'), '23505', NULL,
    'names of locations once below a parent, or below none');
SELECT throws_ok(format($$ INSERT INTO relygate.locations (site_id, parent_id, kind, name) VALUES (%L, %L, 'floor', '1') $$, :'second_site', :'block'), '23503', NULL,
    'a parent stands at the same site');
SELECT lives_ok($$ INSERT INTO relygate.purposes (kind, name) VALUES ('visit', 'Puja'), ('staff', 'Puja') $$, 'a purpose in two lists');
SELECT throws_ok($$ INSERT INTO relygate.purposes (kind, name) VALUES ('visit', 'PUJA') $$, '23505', NULL, '... once in each');
SELECT throws_ok($$ INSERT INTO relygate.visitor_categories (name, is_default) VALUES ('Pilgrim', true) $$, '23505', NULL, 'one default category');
SELECT lives_ok($$ INSERT INTO relygate.tenant_settings (key, value) VALUES ('retention_days', '30') $$, 'a setting');
SELECT throws_ok($$ INSERT INTO relygate.tenant_settings (key, value) VALUES ('retention_days', '31') $$, '23505', NULL, '... once for the tenant, too');
SELECT throws_ok(format($$ INSERT INTO relygate.gates (tenant_id, site_id, name) VALUES (NULL, %L, 'Side') $$, :'site'), NULL, NULL, 'no row without a tenant');

SELECT is_empty($$ SELECT a.privilege_type FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.oid = 'relygate.tenants'::regclass AND r.rolname = 'relygate_api' AND a.privilege_type <> 'SELECT' $$,
    'the API cannot make a tenant the operator''s or lift its suspension');

SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'relygate'::regnamespace AND p.prosrc ~ 'EXCEPTION\s+WHEN' AND p.proparallel <> 'u' $$,
    'what catches errors makes subtransactions, which a parallel query cannot');

SELECT * FROM finish();
ROLLBACK;
