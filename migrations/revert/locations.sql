-- Revert relygate:locations from pg

BEGIN;

DROP TABLE relygate.locations;

COMMIT;
