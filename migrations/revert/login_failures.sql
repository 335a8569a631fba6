-- Revert relygate:login_failures from pg

BEGIN;

DROP FUNCTION relygate.clear_login_attempts(text, text);
DROP FUNCTION relygate.count_login_attempt(text, text);
DROP TABLE relygate_global.login_failures;

COMMIT;
