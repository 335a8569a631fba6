-- Verify relygate:keys_at_rest on pg

BEGIN;
SELECT kid, sealed FROM relygate_global.signing_keys WHERE false;
DO $$ BEGIN
    ASSERT (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'relygate_global.signing_keys'::regclass AND tgname = 'keys_changed' AND tgenabled <> 'D') = 1,
        'backends do not hear of new keys';
    ASSERT (SELECT bool_and(p.prosecdef AND p.proowner = 'relygate_platform'::regrole AND NOT has_function_privilege('relygate_api', p.oid, 'EXECUTE'))
              FROM pg_proc p WHERE p.oid IN ('relygate.seal_keys()'::regprocedure, 'relygate.unseal_keys()'::regprocedure,
                             'relygate.replace_lost_keys(boolean)'::regprocedure)),
        'keys are opened and sealed by relygate_platform for a superuser alone';
    ASSERT NOT has_function_privilege('relygate_api', 'relygate.open_secret(bytea, text, text)', 'EXECUTE'), 'the API may open keys';
    ASSERT NOT has_column_privilege('relygate_api', 'relygate_global.signing_keys', 'sealed', 'SELECT'), 'the API may read sealed keys';
    ASSERT EXISTS (SELECT FROM relygate_global.signing_keys WHERE purpose = 'idempotency'), 'requests are not digested with a key';
END $$;
ROLLBACK;
