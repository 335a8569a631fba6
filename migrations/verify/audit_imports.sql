-- Verify relygate:audit_imports on pg

BEGIN;
DO $$ BEGIN
    ASSERT (SELECT p.prosecdef AND p.proowner = 'relygate_audit'::regrole AND p.prosrc LIKE '%sealed here already%' FROM pg_proc p
             WHERE p.oid = 'relygate.seal_imported(uuid)'::regprocedure), 'a tenant that is here could be brought in';
    ASSERT has_function_privilege('relygate_audit', 'relygate.audit_archive(bytea)', 'EXECUTE'), 'drop_audit_month() would stop at the guard';
    ASSERT has_function_privilege('relygate_backup', 'relygate.audit_archive(bytea)', 'EXECUTE')
       AND has_function_privilege('relygate_backup', 'relygate.audit_erased(json)', 'EXECUTE'), 'relygate_backup could not verify';
END $$;
ROLLBACK;
