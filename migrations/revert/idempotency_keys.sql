-- Revert relygate:idempotency_keys from pg

BEGIN;

DROP TABLE relygate.idempotency_keys;

COMMIT;
