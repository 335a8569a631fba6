-- Verify relygate:large_tenants on pg

BEGIN;

DO $$
BEGIN
    ASSERT (SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             WHERE c.relnamespace = 'relygate'::regnamespace AND i.indisvalid AND c.relname IN ('visits_site_state', 'visitors_deleted')) = 2,
           'an index is missing';
END $$;

ROLLBACK;
