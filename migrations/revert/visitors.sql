-- Revert relygate:visitors from pg

BEGIN;

DROP TABLE relygate.visitors;

COMMIT;
