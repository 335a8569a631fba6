-- Verify relygate:sites on pg

BEGIN;

SELECT tenant_id, id, name, name_key, time_zone, capacity, ask_host, is_active, created_at, updated_at, created_by,
       updated_by
  FROM relygate.sites WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.sites'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.sites'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.sites'::regclass AND i.indisvalid)
           @> ARRAY['sites_name'], 'an index is missing';
    ASSERT ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = 'relygate.sites'::regclass)
           @> ARRAY['sites_capacity'], 'a constraint is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.sites'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.sites', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.sites', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
