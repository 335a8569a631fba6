-- Revert relygate:signing_keys from pg

BEGIN;

DROP TABLE relygate_global.signing_keys;
DROP FUNCTION relygate_global.notify_keys();

COMMIT;
