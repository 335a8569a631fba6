-- Verify relygate:login_failures on pg

BEGIN;

SELECT digest, failures, window_from, locked_until FROM relygate_global.login_failures WHERE false;
DO $$ BEGIN
    ASSERT NOT has_table_privilege('relygate_api', 'relygate_global.login_failures', 'SELECT'), 'login failures are open';
    ASSERT has_function_privilege('relygate_api', 'relygate.count_login_attempt(text, text)', 'EXECUTE'), 'no login possible';
END $$;

ROLLBACK;
