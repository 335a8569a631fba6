-- Revert relygate:tenant_settings from pg

BEGIN;

DROP TABLE relygate.tenant_settings;

COMMIT;
