-- Revert relygate:sites from pg

BEGIN;

DROP TABLE relygate.sites;

COMMIT;
