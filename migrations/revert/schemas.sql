-- Revert relygate:schemas from pg
--
-- pg_trgm and btree_gin stay: they may have been there before.

BEGIN;
DROP SCHEMA relygate_report;
DROP SCHEMA relygate_global;
COMMIT;
