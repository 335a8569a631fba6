-- Verify relygate:hosts on pg

BEGIN;

SELECT tenant_id, id, kind, first_name, last_name, mobile, email, location_id, user_id, search_name, is_active,
       created_at, updated_at, created_by, updated_by
  FROM relygate.hosts WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.hosts'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.hosts'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.hosts'::regclass AND i.indisvalid)
           @> ARRAY['hosts_list', 'hosts_location', 'hosts_user'], 'an index is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.hosts'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.hosts', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.hosts', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
