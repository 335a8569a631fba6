-- Verify relygate:search_extensions on pg

BEGIN;

DO $$ BEGIN
    ASSERT (SELECT count(*) = 2 FROM pg_extension WHERE extname IN ('pg_trgm', 'btree_gin')), 'an extension is missing';
END $$;

ROLLBACK;
