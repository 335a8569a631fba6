-- Revert relygate:visits from pg

BEGIN;

DROP TABLE relygate.visits;

COMMIT;
