-- Revert relygate:tenants from pg

BEGIN;

DROP TABLE relygate.tenants;

COMMIT;
