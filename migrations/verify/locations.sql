-- Verify relygate:locations on pg

BEGIN;

SELECT tenant_id, id, site_id, parent_id, kind, name, name_key, is_active, created_at, updated_at, created_by, updated_by
  FROM relygate.locations WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.locations'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.locations'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.locations'::regclass AND i.indisvalid)
           @> ARRAY['locations_name', 'locations_parent', 'locations_list'], 'an index is missing';
    ASSERT ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = 'relygate.locations'::regclass)
           @> ARRAY['locations_site_key', 'locations_not_own_parent'], 'a constraint is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.locations'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.locations', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.locations', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
