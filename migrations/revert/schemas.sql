-- Revert relygate:schemas from pg

BEGIN;
DROP SCHEMA relygate_report;
DROP SCHEMA relygate_global;
COMMIT;
