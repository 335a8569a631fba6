-- Revert relygate:hosts from pg

BEGIN;

DROP TABLE relygate.hosts;

COMMIT;
