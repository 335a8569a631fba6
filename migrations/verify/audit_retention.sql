-- Verify relygate:audit_retention on pg

BEGIN;
DO $$ BEGIN
    ASSERT (SELECT p.prosecdef AND p.proowner = 'relygate_audit'::regrole FROM pg_proc p WHERE p.oid = 'relygate.drop_audit_month(text)'::regprocedure),
        'drop_audit_month is not relygate_audit''s';
    ASSERT NOT has_function_privilege('relygate_owner', 'relygate.drop_audit_month(text)', 'EXECUTE'), 'the owner of the tables could drop a month';
END $$;
ROLLBACK;
