-- Verify relygate:list_sorts on pg

BEGIN;

DO $$
BEGIN
    ASSERT (SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             WHERE c.relnamespace = 'relygate'::regnamespace AND i.indisvalid
               AND c.relname IN ('visits_by_check_in', 'visits_by_check_out', 'visitors_by_name', 'visitors_by_creation', 'hosts_by_name',
                                 'hosts_by_creation', 'locations_by_creation', 'users_by_creation', 'gates_by_name', 'gates_by_creation',
                                 'sites_by_name', 'sites_by_creation')) = 12, 'an index is missing';
END $$;

ROLLBACK;
