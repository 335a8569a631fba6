-- Verify relygate:audit_guard on pg

BEGIN;
DO $$
DECLARE
    found text;
BEGIN
    ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_event_trigger
             WHERE evtname IN ('relygate_guard_audit_ddl', 'relygate_guard_audit_drop') AND evtenabled = 'A'), 'a guard of the audit is missing';
    SELECT string_agg(format('%s: %s', f.object, f.finding), '; ') INTO found FROM relygate.audit_defects() f;
    ASSERT found IS NULL, found;
END $$;
ROLLBACK;
