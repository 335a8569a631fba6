-- Revert relygate:search_extensions from pg
--
-- They may serve others in this database by now; then they stay.

BEGIN;

DO $$ BEGIN
    DROP EXTENSION IF EXISTS btree_gin;
    DROP EXTENSION IF EXISTS pg_trgm;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE NOTICE 'pg_trgm or btree_gin is used by other objects and stays';
END $$;

COMMIT;
