-- Verify relygate:audit_erasure on pg

BEGIN;
DO $$ BEGIN
    ASSERT (SELECT p.prosecdef AND p.proowner = 'relygate_audit'::regrole FROM pg_proc p WHERE p.oid = 'relygate.erase_person(uuid, text)'::regprocedure),
        'erase_person is not relygate_audit''s';
    ASSERT NOT has_function_privilege('relygate_api', 'relygate.erase_person(uuid, text)', 'EXECUTE'), 'the API could erase';
END $$;
ROLLBACK;
