-- Revert relygate:purposes from pg

BEGIN;

DROP TABLE relygate.purposes;

COMMIT;
