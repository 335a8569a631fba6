-- Attack 21: what would open a protected table is refused to its owner and to a superuser; what is no harm is not.
BEGIN;
SELECT plan(66);

-- The owner.
SET LOCAL ROLE relygate_owner;
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits NO FORCE ROW LEVEL SECURITY'), '42501', 'this would open the protected table relygate.visits', 'NO FORCE [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits DISABLE ROW LEVEL SECURITY'), '42501', NULL, 'DISABLE ROW LEVEL SECURITY [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('DROP POLICY tenant ON relygate.visits'), '42501', NULL, 'DROP POLICY tenant [guard-of-drops, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('DROP POLICY base ON relygate.visits'), '42501', NULL, 'DROP POLICY base [guard-of-drops, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER POLICY tenant ON relygate.visits USING (true)'), '42501', NULL, 'ALTER POLICY: USING [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER POLICY tenant ON relygate.visits WITH CHECK (true)'), '42501', NULL, 'ALTER POLICY: WITH CHECK [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER POLICY base ON relygate.visits USING (true)'), '42501', NULL, 'ALTER POLICY base [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER POLICY tenant ON relygate.visits TO relygate_api'), '42501', NULL, 'ALTER POLICY: for one role only [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER POLICY tenant ON relygate.visits RENAME TO other'), '42501', NULL, 'ALTER POLICY: RENAME [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits DISABLE TRIGGER audit'), '42501', NULL, 'DISABLE TRIGGER [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits ENABLE REPLICA TRIGGER state'), '42501', NULL, 'ENABLE REPLICA TRIGGER [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('DROP TRIGGER relygate_no_truncate ON relygate.visits'), '42501', NULL, 'DROP TRIGGER relygate_no_truncate [guard-of-drops, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('DROP TRIGGER audit ON relygate.visits'), '42501', NULL, 'DROP TRIGGER audit [guard-of-drops, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TRIGGER relygate_no_truncate ON relygate.visits RENAME TO other'), '42501', NULL, 'under another name the mark could be dropped [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TRIGGER audit ON relygate.visits RENAME TO other'), '42501', NULL, '... and the audit [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('CREATE OR REPLACE TRIGGER relygate_no_truncate BEFORE TRUNCATE ON relygate.visits
    EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()'), '42501', NULL, 'another function in place of the mark [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.visits FOR EACH ROW
    EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()'), '42501', NULL, '... of the audit [guard-of-changes, guard-of-changes-and-drops]');
SAVEPOINT parent;
ALTER TABLE relygate_global.routes DROP method CASCADE, DROP pattern, DROP function, DROP permission, DROP answer, DROP status, DROP location,
    DROP message, DROP required, DROP one_of, DROP read_only, DROP lane, DROP body_limit, DROP while_suspended,
    ADD tenant_id uuid NOT NULL;
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits INHERIT relygate_global.routes'), '42501', NULL, 'rows asked for through a parent [guard-of-changes, guard-of-changes-and-drops]');
ROLLBACK TO parent;
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits RENAME COLUMN tenant_id TO tenant'), '42501', NULL, 'another name for tenant_id [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits DROP COLUMN tenant_id CASCADE'), '42501', NULL, 'no tenant_id [guard-of-changes-and-drops]');
SELECT lives_ok('ALTER TABLE relygate.visits ADD COLUMN extra text', 'a new column is no harm');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits DROP COLUMN extra'), '42501', NULL, '... and goes again by a superuser''s hand alone [audit-knows-columns, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.gates DROP COLUMN direction CASCADE, ADD COLUMN direction text DEFAULT ''in'', ADD COLUMN more text'), '42501', NULL, '... or all gates had another direction, unheard [audit-knows-columns, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.gates ALTER direction TYPE relygate.gate_direction USING ''in''::relygate.gate_direction'), '42501', NULL, '... as by another type [audit-knows-columns, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.gates ADD COLUMN extra text, ALTER direction TYPE text'), '42501', NULL, '... among other changes [audit-knows-columns, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.gates RENAME direction TO password_hash'), '42501', NULL, '... or by the name of a secret [audit-knows-columns, guard-of-changes, guard-of-changes-and-drops]');
SELECT lives_ok('ALTER TABLE relygate.gates RENAME CONSTRAINT gates_pkey TO gates_key', 'another name of a key is no harm');
SELECT lives_ok('ALTER TABLE relygate_global.routes RENAME lane TO way', '... nor one of a column where no tenant has rows');
SELECT lives_ok('DROP TRIGGER touch ON relygate.purposes', 'a trigger that protects nothing may go');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits DISABLE TRIGGER USER'), '42501', NULL, 'all of its triggers but the keys'' [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits ENABLE ALWAYS TRIGGER audit, DISABLE TRIGGER relygate_no_truncate'), '42501', NULL, 'one of two is enough [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits DROP CONSTRAINT visits_pkey CASCADE'), '42501', 'this would open the protected table relygate.visits',
    'DROP CONSTRAINT of the last key with the tenant [guard-of-lost-keys, guard-of-drops, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('CREATE RULE copy AS ON INSERT TO relygate.visits DO ALSO NOTIFY visits'), '42501', NULL, 'CREATE RULE [guard-of-rules, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits ALTER tenant_id DROP NOT NULL'), '42P16', NULL, 'DROP NOT NULL of the tenant: it is in a key');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits ALTER tenant_id TYPE text'), '0A000', NULL, 'another type of the tenant: policies name it');
SELECT throws_ok(test.undone('CREATE OR REPLACE FUNCTION relygate.audit_row() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NULL; END $f$'), '42501', NULL,
    'another body of a trigger''s function [ownership-of-functions]');
SELECT throws_ok(test.undone('CREATE OR REPLACE FUNCTION relygate.current_tenant() RETURNS uuid LANGUAGE sql AS $f$ SELECT NULL::uuid $f$'), '42501', NULL,
    '... or of current_tenant [ownership-of-functions]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits OWNER TO relygate_platform'), '42501', NULL, 'OWNER TO a role of which one is no member [ownership-of-functions]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits RENAME TO entries'), '42501', NULL, 'RENAME needs CREATE on the schema [no-create-for-owner, ownership-of-functions]');
RESET ROLE;
SELECT lives_ok('ALTER TABLE relygate.visits ALTER extra TYPE varchar(9), ALTER remark SET STATISTICS 0', 'migrations give a column another type');
SELECT lives_ok('ALTER TABLE relygate.visits DROP COLUMN extra', '... and drop one');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits DISABLE TRIGGER audit'), '42501', NULL, 'a superuser disables one trigger [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visits ADD UNIQUE (id)'), '42501', NULL, 'ADD UNIQUE without the tenant [guard-of-open-keys, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('ALTER TABLE relygate.visitors ADD CONSTRAINT apart EXCLUDE (mobile WITH =)'), '42501', NULL, 'EXCLUDE without the tenant [guard-of-open-keys, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('CREATE UNIQUE INDEX ON relygate.visitors (mobile)'), '42501', NULL, 'CREATE UNIQUE INDEX without the tenant [guard-of-open-keys, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('CREATE UNIQUE INDEX ON relygate.visitors (mobile, tenant_id)'), '42501', NULL, '... or with the tenant behind [guard-of-open-keys, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone($$ DO $in$ BEGIN BEGIN CREATE UNIQUE INDEX ON relygate.visitors (mobile); EXCEPTION WHEN division_by_zero THEN NULL; END; END $in$ $$), '42501', NULL,
    '... in a subtransaction [guard-of-open-keys, guard-of-changes, guard-of-changes-and-drops]');
SELECT lives_ok('CREATE UNIQUE INDEX more_keys ON relygate.visitors (tenant_id, mobile, id)', '... with the tenant it is no harm');
SELECT lives_ok('CREATE INDEX more_rows ON relygate.visitors (tenant_id, created_at)', '... and an index that is no key');
SELECT lives_ok('DROP INDEX relygate.more_keys, relygate.more_rows', '... which go again');
SELECT throws_ok(test.undone('ALTER TABLE relygate.gates SET SCHEMA relygate_report'), '42501', NULL, '... or moves a table where its triggers are not known [guard-of-moves, guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok(test.undone('CREATE TABLE test.child () INHERITS (relygate.visits)'), '42501', NULL, 'a child that is read past the policies [guard-of-children, guard-of-changes, guard-of-changes-and-drops]');
SAVEPOINT named;
ALTER TABLE relygate.visits RENAME TO entries;
SELECT is(relygate.protection_defects('relygate.entries'), NULL, 'a superuser gives a table another name: it stays protected ...');
SELECT throws_ok(test.undone('ALTER TABLE relygate.entries NO FORCE ROW LEVEL SECURITY'), '42501', NULL, '... under that [guard-of-changes, guard-of-changes-and-drops]');
ROLLBACK TO named;
SELECT throws_ok(test.undone('ALTER EXTENSION relygate ADD TABLE relygate.purposes; ALTER TABLE relygate.purposes ADD COLUMN extra text'), '42501', NULL,
    'a member of the extension, which no dump has [guard-of-changes, guard-of-changes-and-drops]');
CREATE TABLE relygate.bare (tenant_id uuid NOT NULL);
SELECT relygate.protect_table('relygate.bare');
SELECT throws_ok(test.undone('ALTER TABLE relygate.bare ALTER tenant_id DROP NOT NULL'), '42501', NULL, 'a tenant that may be NULL [guard-of-changes, guard-of-changes-and-drops]');
SELECT throws_ok('ALTER TABLE relygate.bare ADD visit uuid REFERENCES relygate.visits_by_id (id)', '42P01', NULL, 'what is not there, is not refused by the guard');
CREATE TABLE relygate.others (tenant_id uuid NOT NULL, id uuid PRIMARY KEY);
SELECT throws_ok(test.undone($$ SELECT relygate.protect_table('relygate.others') $$), '42501', NULL, 'a new table is looked at whole when it is protected [guard-of-open-keys, guard-of-changes, guard-of-changes-and-drops]');
SAVEPOINT older;
ALTER EVENT TRIGGER relygate_guard_ddl DISABLE;
SELECT relygate.protect_table('relygate.others');
ALTER TABLE relygate.bare ADD other uuid;
ALTER EVENT TRIGGER relygate_guard_ddl ENABLE;
SELECT throws_ok(test.undone('ALTER TABLE relygate.bare ADD FOREIGN KEY (other) REFERENCES relygate.others (id)'), '42501', NULL,
    'a foreign key that does not carry the tenant [guard-of-open-keys, guard-of-changes, guard-of-changes-and-drops]');
ROLLBACK TO older;
DROP TABLE relygate.others, relygate.bare;
SELECT lives_ok('ALTER TABLE relygate.purposes DISABLE TRIGGER ALL', 'a superuser restores data only, as pg_restore --disable-triggers does');
SELECT isnt_empty($$ SELECT FROM relygate.validate_schema() WHERE object = 'relygate.purposes' AND finding ~ 'disabled' $$, '... and validate_schema says so meanwhile [validate-schema]');
SELECT lives_ok('ALTER TABLE relygate.purposes ENABLE TRIGGER ALL', '... and back');
SET LOCAL search_path = relygate, tap, test;
SELECT lives_ok('ALTER TABLE visits ADD COLUMN extra text', 'whatever the search path is');
SELECT throws_ok(test.undone('ALTER POLICY base ON visits USING (true)'), '42501', NULL, '... the guard looks at the same [guard-of-changes, guard-of-changes-and-drops]');
RESET search_path;
SET LOCAL search_path = tap, test;
CREATE TABLE test.others (i int);
GRANT CREATE ON SCHEMA test TO pg_monitor;
ALTER TABLE test.others OWNER TO pg_monitor;
SET LOCAL ROLE pg_monitor;
SELECT lives_ok('ALTER TABLE test.others ADD COLUMN j int', 'a role without any right of ours alters its own table');
RESET ROLE;

-- Nobody sees another's rows on the way: the functions cannot be called but by an event trigger.
SELECT throws_ok('SELECT relygate.guard_ddl()', '39P03', NULL, 'the guard''s function is called by event triggers alone');

SELECT * FROM finish();
ROLLBACK;
