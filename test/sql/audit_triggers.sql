-- validate_schema() names each table of the product whose changes are not on record, or not as they should be; it leaves a DBA's own alone.
BEGIN;
SELECT plan(12);

DO $$ DECLARE g name; BEGIN FOR g IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate_guard%' LOOP EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', g); END LOOP; END $$;
CREATE FUNCTION test.findings_of(target regclass, plant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    EXECUTE replace(plant, '@', findings_of.target::text);
    found := (SELECT string_agg(f.finding, '; ') FROM relygate.validate_schema() f WHERE f.object = findings_of.target::text);
    RAISE EXCEPTION USING ERRCODE = 'RG000';
EXCEPTION WHEN SQLSTATE 'RG000' THEN
    RETURN found;
END $$;
CREATE FUNCTION test.audited() RETURNS SETOF regclass LANGUAGE sql AS
    $$ SELECT t.tgrelid::regclass FROM pg_trigger t WHERE t.tgfoid = 'relygate.audit_row()'::regprocedure ORDER BY 1 $$;

SELECT is_empty('SELECT * FROM relygate.validate_schema() WHERE object NOT LIKE ''event trigger %''', 'nothing is wrong to begin with [whole]');
SELECT results_eq($$ SELECT a.a::text, test.findings_of(a.a, 'DROP TRIGGER audit ON @') FROM test.audited() a (a) ORDER BY 1 $$,
    $$ SELECT a.a::text, 'trigger audit is missing' FROM test.audited() a (a) ORDER BY 1 $$, 'each audited table, without its trigger [audit-triggers-listed, validate-schema]');
SELECT is((SELECT count(*)::int FROM test.audited()), 13, '... which are thirteen');
SELECT is(test.findings_of('relygate.visits', 'DROP TRIGGER audit ON @; CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON @ FOR EACH ROW WHEN (false) EXECUTE FUNCTION relygate.audit_row()'),
    'trigger audit is not what protects a table', 'a trigger that never fires [audit-triggers-listed, validate-schema]');
SELECT is(test.findings_of('relygate.visits', 'DROP TRIGGER audit ON @; CREATE TRIGGER audit AFTER INSERT ON @ FOR EACH ROW EXECUTE FUNCTION relygate.audit_row()'),
    'trigger audit is not what protects a table', '... or for inserts alone [audit-triggers-listed, validate-schema]');
SELECT is(test.findings_of('relygate.visits', 'DROP TRIGGER audit ON @; CREATE TRIGGER audit AFTER INSERT OR UPDATE OF state OR DELETE ON @ FOR EACH ROW EXECUTE FUNCTION relygate.audit_row()'),
    'trigger audit is not what protects a table', '... or for one column [audit-triggers-listed, validate-schema]');
SELECT is(test.findings_of('relygate.visits', 'CREATE OR REPLACE TRIGGER audit BEFORE DELETE ON @ FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
    'trigger audit is not what protects a table', '... or another function [audit-triggers-listed, validate-schema]');
SELECT is(test.findings_of('relygate.visits', 'DROP TRIGGER audit ON @; CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON @ DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION relygate.audit_row()'),
    'trigger audit is not what protects a table', '... or when the user may be another [audit-triggers-listed, validate-schema]');
SELECT is(test.findings_of('relygate.visits', 'ALTER TABLE @ DISABLE TRIGGER audit'), 'trigger audit is disabled', '... or is off [validate-schema]');

CREATE TABLE relygate.badges (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id));
ALTER TABLE relygate.badges OWNER TO relygate_owner;
SELECT relygate.protect_table('relygate.badges');
SELECT is(test.findings_of('relygate.badges', 'SELECT'), NULL, 'a table of the DBA''s own is audited or not, as he likes');
SELECT is(test.findings_of('relygate.badges', 'CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON @ FOR EACH ROW EXECUTE FUNCTION relygate.audit_row()'), NULL, '... by the right trigger');
SELECT is(test.findings_of('relygate.badges', 'CREATE TRIGGER audit AFTER INSERT ON @ FOR EACH ROW EXECUTE FUNCTION relygate.audit_row()'),
    'trigger audit is not what protects a table', '... and no other [audit-triggers-listed, validate-schema]');

SELECT * FROM finish();
ROLLBACK;
