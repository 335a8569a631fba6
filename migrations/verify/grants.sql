-- Verify relygate:grants on pg

BEGIN;
DO $$
BEGIN
    ASSERT has_function_privilege('relygate_api', 'relygate.current_tenant()', 'EXECUTE');
    ASSERT has_function_privilege('relygate_reporting', 'relygate.current_tenant()', 'EXECUTE');
    ASSERT NOT has_function_privilege('relygate_api', 'relygate.bind_role(name, uuid)', 'EXECUTE');
    ASSERT NOT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'relygate'::regnamespace
                          AND has_function_privilege('public', p.oid, 'EXECUTE')), 'everybody may call a function';
END $$;
ROLLBACK;
