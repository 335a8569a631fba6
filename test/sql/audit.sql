-- The audit: what is noted of a change and what is not, by whom, and that nobody changes what is noted.
BEGIN;
SELECT plan(61);

SELECT id AS south FROM relygate.create_tenant('A_SOUTH', 'South', 'office', 'Asia/Dubai', 'AE') \gset
SELECT id AS north FROM relygate.create_tenant('A_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SELECT relygate.uuid_v7() AS guard \gset
SELECT test.act_as(:'north', 'relygate_api', :'guard');
SELECT set_config('app.user_role', 'security_guard', true), set_config('app.request_id', 'req-77', true),
       set_config('app.client_address', '203.0.113.9', true) \gset

-- What is noted ----------------------------------------------------------------------------------------------------------
SELECT is((SELECT string_agg(action::text, ',') FROM relygate.audit_log WHERE table_name = 'tenants'), 'insert', 'a new tenant is on record [audit-trigger]');
SELECT is((SELECT changes -> 'code' ->> 'after' FROM relygate.audit_log WHERE table_name = 'tenants'), 'A_NORTH', '... its own alone is seen [audit-trigger]');
SELECT is((SELECT row_id FROM relygate.audit_log WHERE table_name = 'tenants'), :'north'::uuid, '... under its id [audit-trigger]');

INSERT INTO relygate.visitor_categories (name, position) VALUES ('  Pilgrim ', 9) RETURNING id AS row \gset
SELECT is((SELECT changes::text FROM relygate.audit_log WHERE row_id = :'row'),
    '{"name":{"after":"Pilgrim"},"asks_mobile":{"after":true},"position":{"after":9},"is_default":{"after":false},"is_active":{"after":true}}',
    'an insert: the new values, normalised, without nulls');
UPDATE relygate.visitor_categories SET name = 'Pilgrim', position = 10 WHERE id = :'row';
SELECT is((SELECT changes::text FROM relygate.audit_log WHERE row_id = :'row' AND action = 'update'),
    '{"position":{"before":9,"after":10}}', 'an update: changed columns only, before and after');
UPDATE relygate.visitor_categories SET name = name WHERE id = :'row';
UPDATE relygate.visitor_categories SET updated_at = now() + interval '1 hour' WHERE id = :'row';
SELECT is((SELECT count(*)::int FROM relygate.audit_log WHERE row_id = :'row'), 2, 'an update that changes nothing is not noted');
SELECT throws_ok(test.undone(format('UPDATE relygate.visitor_categories SET id = relygate.uuid_v7() WHERE id = %L', :'row')), '55000', '"id" of a row of table "visitor_categories" cannot change',
    'a row keeps its id, or its history would end here [audit-keeps-identities]');
SELECT lives_ok(format('UPDATE relygate.visitor_categories SET id = id WHERE id = %L', :'row'), '... which it may say again');
DELETE FROM relygate.visitor_categories WHERE id = :'row';
SELECT is((SELECT changes -> 'name' ->> 'before' FROM relygate.audit_log WHERE row_id = :'row' AND action = 'delete'), 'Pilgrim',
    'a delete: what was there');

SELECT is((SELECT string_agg(DISTINCT concat_ws(' ', user_id, user_role, database_role, request_id, host(client_address), table_name, tenant_id), '; ')
             FROM relygate.audit_log WHERE row_id = :'row'),
    format('%s security_guard %s req-77 203.0.113.9 visitor_categories %s', :'guard', session_user, :'north'), 'by whom, for which request, from where');
SELECT ok((SELECT bool_and(occurred_at BETWEEN now() AND clock_timestamp()) FROM relygate.audit_log WHERE row_id = :'row'), 'when');
SELECT ok((SELECT bool_and(changes_digest = sha256(salt || convert_to(changes::text, 'UTF8'))) FROM relygate.audit_log WHERE row_id = :'row'),
    'the digest is over salt and changes');
SELECT is((SELECT count(DISTINCT salt)::int FROM relygate.audit_log WHERE row_id = :'row'), 3, 'each record has a salt of its own');
SELECT ok((SELECT bool_and(xact = pg_current_xact_id()) FROM relygate.audit_log WHERE row_id = :'row'), 'the transaction is on record');
RESET ROLE;
SELECT ok((SELECT bool_and(cluster = (SELECT system_identifier FROM pg_control_system())) FROM relygate.audit_log WHERE row_id = :'row'), '... and the cluster');

-- Other types, and what is kept out --------------------------------------------------------------------------------------
SELECT test.act_as(:'north', 'relygate_api', :'guard');
SET LOCAL timezone = 'America/New_York';
SET LOCAL datestyle = 'German, DMY';
INSERT INTO relygate.visitors (visitor_type, first_name, mobile, registration_no, security_code, valid_until, document_type, document_masked, document_hash)
VALUES ('registered', 'Asha', '9845012367', 'V-1', '654321', '2026-12-31', 'passport', 'XXXX1234', sha256('secret')) RETURNING id AS visitor \gset
SELECT is((SELECT changes -> 'valid_until' ->> 'after' FROM relygate.audit_log WHERE row_id = :'visitor'), '2026-12-31', 'dates are ISO in every session');
SELECT ok((SELECT changes::text NOT LIKE '%654321%' AND changes::text NOT LIKE '%document_hash%' AND changes::text NOT LIKE '%security_code%'
             FROM relygate.audit_log WHERE row_id = :'visitor'), 'secrets are not noted [audit-without-secrets]');
UPDATE relygate.visitors SET security_code = '111111' WHERE id = :'visitor';
SELECT is((SELECT changes::text FROM relygate.audit_log WHERE row_id = :'visitor' AND action = 'update'), '{}', '... but that one changed is [audit-without-secrets]');
INSERT INTO relygate.tenant_settings (key, value) VALUES ('branding', '{"colour": "#00f", "size": [1, 2]}') RETURNING id AS setting \gset
SELECT is((SELECT changes #>> '{value,after,size,1}' FROM relygate.audit_log WHERE row_id = :'setting'), '2', 'JSON stays JSON');
SELECT id AS site FROM relygate.sites \gset
INSERT INTO relygate.visits (site_id, visitor_id, state, purpose) VALUES (:'site', :'visitor', 'checked_in', 'Say "hi" \ back') RETURNING id AS visit \gset
SELECT is((SELECT changes -> 'purpose' ->> 'after' FROM relygate.audit_log WHERE row_id = :'visit'), 'Say "hi" \ back', 'text is escaped');
SELECT matches((SELECT changes -> 'checked_in_at' ->> 'after' FROM relygate.audit_log WHERE row_id = :'visit'), '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*\+00:00$',
    'times are RFC 3339 in UTC in every session');
RESET timezone;
RESET datestyle;
SELECT ok((SELECT changes IS NOT NULL FROM relygate.audit_log WHERE row_id = :'visit' AND changes -> 'remark' IS NULL), 'what is null is left out of an insert');

-- The user is back afterwards, after errors too --------------------------------------------------------------------------
SELECT is(current_user::text, 'relygate_api', 'the trigger gives the user back');
RESET ROLE;
ALTER TABLE relygate.audit_log ADD CONSTRAINT no_gates CHECK (table_name <> 'gates');
SELECT test.act_as(:'north', 'relygate_api', :'guard');
UPDATE relygate.sites SET name = relygate.uuid_v7()::text;    -- the first row after a change goes another way than those behind it
SELECT throws_ok($$ INSERT INTO relygate.gates (site_id, name) SELECT id, 'Front' FROM relygate.sites $$, '23514', NULL, 'a change that cannot be noted fails');
SELECT is(current_user::text, 'relygate_api', '... and the user is back');
SELECT is((SELECT count(*)::int FROM relygate.gates), 0, '... and nothing is written');
SELECT throws_ok($$ INSERT INTO relygate.audit_log (tenant_id) VALUES (relygate.current_tenant()) $$, '42501', NULL, '... without the rights of the audit''s owner [audit-no-writers, audit-no-members]');

-- Whatever an INSERT into the log would meet, each row meets, also where the trigger puts it into its partition itself.
RESET ROLE;
SELECT $$ UPDATE relygate.tenant_settings SET value = jsonb_build_object('colour', relygate.uuid_v7()) WHERE key = 'branding' $$ AS attempt \gset
CREATE POLICY quiet ON relygate.audit_log AS RESTRICTIVE USING (true) WITH CHECK (table_name <> 'tenant_settings');
SELECT test.act_as(:'north', 'relygate_api', :'guard');
UPDATE relygate.sites SET name = relygate.uuid_v7()::text;
SELECT throws_ok(:'attempt', '42501', NULL, 'a policy that a DBA adds holds [audit-under-policies]');
RESET ROLE;
DROP POLICY quiet ON relygate.audit_log;
SELECT test.act_as(:'north', 'relygate_api', :'guard');
SELECT lives_ok(:'attempt', '... as long as it is there');
RESET ROLE;
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.table_name <> 'tenant_settings' THEN RETURN NEW; END IF; RAISE EXCEPTION 'a trigger of the DBA'; END $$;
ALTER EVENT TRIGGER relygate_guard_audit_ddl DISABLE;
CREATE TRIGGER of_the_dba BEFORE INSERT ON relygate.audit_log FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
SELECT test.act_as(:'north', 'relygate_api', :'guard');
UPDATE relygate.sites SET name = relygate.uuid_v7()::text;
SELECT throws_ok(:'attempt', 'P0001', 'a trigger of the DBA', 'a trigger that he adds fires');
RESET ROLE;
DROP TRIGGER of_the_dba ON relygate.audit_log;
SELECT test.act_as(:'north', 'relygate_api', :'guard');
SELECT lives_ok(:'attempt', '... as long as it is there');
RESET ROLE;
REVOKE INSERT ON relygate.audit_log FROM relygate_audit;
SELECT test.act_as(:'north', 'relygate_api', :'guard');
SELECT throws_ok(:'attempt', '42501', NULL, 'the right to insert is asked for');
RESET ROLE;
GRANT INSERT ON relygate.audit_log TO relygate_audit;
-- A new month begins between two rows.
SELECT relygate.make_audit_partitions(3) \gset
ALTER TABLE relygate.audit_log ALTER occurred_at SET DEFAULT clock_timestamp() + current_setting('test.months')::interval;
SELECT set_config('test.months', '0', true) \gset
SELECT test.act_as(:'north', 'relygate_api', :'guard');
SELECT lives_ok(:'attempt', 'this month''s row'), lives_ok(:'attempt', '... and another');
SELECT set_config('test.months', '1 month', true) \gset
SELECT lives_ok(:'attempt', 'next month''s row');
SELECT is((SELECT count(DISTINCT tableoid)::int FROM relygate.audit_log WHERE table_name = 'tenant_settings'), 2, 'each lies in its month''s partition');
RESET ROLE;
ALTER TABLE relygate.audit_log ALTER occurred_at SET DEFAULT clock_timestamp();
ALTER EVENT TRIGGER relygate_guard_audit_ddl ENABLE ALWAYS;

-- A superuser is held to a context as well: without one his change cannot be noted, and so is not made.
RESET ROLE;
UPDATE relygate.sites SET name = relygate.uuid_v7()::text WHERE tenant_id = :'north';
SELECT throws_ok(test.undone(format($$ UPDATE relygate.tenants SET name = 'Stolen' WHERE id = %L $$, :'south')), '42501', NULL,
    'a superuser cannot change a row of another tenant than the one he chose [audit-trigger, audit-of-own-tenant]');
SELECT set_config('app.tenant_id', '', true) \gset
SELECT throws_ok($$ UPDATE relygate.sites SET name = 'Anywhere' $$, 'RG401', NULL, '... nor any without a tenant');
SELECT is((SELECT count(*)::int FROM relygate.tenants WHERE name = 'Stolen'), 0, '... nothing was changed');
SELECT is(current_user, session_user, '... and he is himself again');

-- Append-only ------------------------------------------------------------------------------------------------------------
SELECT count(*) AS records FROM relygate.audit_log \gset
SELECT throws_ok(test.undone($$ UPDATE relygate.audit_log SET action = action $$), '42501', 'audit log is append-only', 'a superuser cannot change a record [append-only]');
SELECT throws_ok(test.undone($$ DELETE FROM relygate.audit_log $$), '42501', 'audit log is append-only', '... nor delete one [append-only]');
SELECT throws_ok(test.undone($$ TRUNCATE relygate.audit_log $$), '42501', 'audit log is append-only', '... nor all [append-only]');
SELECT format('audit_log_%s', to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')) AS partition \gset
SELECT throws_ok(test.undone(format('DELETE FROM relygate.%I', :'partition')), '42501', 'audit log is append-only', '... nor in a partition [append-only]');
SELECT throws_ok(test.undone(format('TRUNCATE relygate.%I', :'partition')), '42501', 'audit log is append-only', '... nor a partition [append-only]');
SET LOCAL session_replication_role = replica;
SELECT throws_ok(test.undone($$ DELETE FROM relygate.audit_log $$), '42501', 'audit log is append-only', '... nor as a replica [append-only]');
SELECT throws_ok(test.undone(format('TRUNCATE relygate.%I', :'partition')), '42501', 'audit log is append-only', '... nor truncate one as a replica [append-only]');
RESET session_replication_role;
SELECT is((SELECT count(*)::int FROM relygate.audit_log), :records, 'all records are there');
SELECT throws_ok(format('SET LOCAL ROLE relygate_owner; DELETE FROM relygate.%I', :'partition'), '42501', NULL, 'the owner of the tables has no right on it [audit-no-writers]');
SELECT throws_ok('SET LOCAL ROLE relygate_owner; DROP TABLE relygate.audit_log', '42501', NULL, '... and cannot drop it');
SELECT throws_ok('SET LOCAL ROLE relygate_owner; ALTER TABLE relygate.audit_log DISABLE TRIGGER ALL', '42501', NULL, '... nor disable its triggers');
SELECT test.act_as(:'north');
SELECT throws_ok(format('SELECT FROM relygate.%I', :'partition'), '42501', NULL, 'nobody reads a partition directly [audit-partitions-closed, audit-no-members]');
SELECT is((SELECT count(*)::int FROM relygate.audit_log WHERE tenant_id <> :'north'), 0, 'a tenant reads its own records alone');

-- Partitions and the list ------------------------------------------------------------------------------------------------
RESET ROLE;
SELECT is(relygate.make_audit_partitions(), 0, 'the coming months are there');
SELECT is(relygate.make_audit_partitions(5), 2, '... and further ones are made when asked for');
SELECT is_empty($$ SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'relygate.audit_log'::regclass
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND c.relowner = 'relygate_audit'::regrole AND c.relacl::text !~ '(relygate_api|^=)'
             AND (SELECT count(*) = 2 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled = 'A')) $$, 'each is protected and append-only');
SELECT test.act_as(:'north', 'relygate_api', :'guard');
SELECT results_eq(format($$ SELECT action, changes ->> 'position' FROM relygate.list_audit("table" => 'visitor_categories', key => %L) $$, :'row'),
    $$ VALUES ('delete', '{"before":10}'), ('update', '{"before":9,"after":10}'), ('insert', '{"after":9}') $$, 'the list of a row, the latest first');
SELECT results_eq(format($$ SELECT l.action, l._total::int FROM relygate.list_audit(key => %L, page_limit => 1, counting => true) first
      CROSS JOIN LATERAL relygate.list_audit(key => %L, after => first._cursor, counting => true) l $$, :'row', :'row'),
    $$ VALUES ('update', 3), ('insert', 3) $$, 'the next page goes on where the first ended');
SELECT is((SELECT count(*)::int FROM relygate.list_audit("user" => relygate.uuid_v7())), 0, 'of a user');
SELECT is((SELECT count(*)::int FROM relygate.list_audit("to" => '2020-01-01')), 0, 'of a time');

RESET ROLE;
ALTER EVENT TRIGGER relygate_guard_audit_drop DISABLE;
SELECT lives_ok('ALTER TABLE relygate_global.audit_roots SET (fillfactor = 90)', 'while one guard sleeps, the other lets pass what is harmless');

SELECT * FROM finish();
ROLLBACK;
