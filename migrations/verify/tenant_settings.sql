-- Verify relygate:tenant_settings on pg

BEGIN;

SELECT tenant_id, id, site_id, key, value, created_at, updated_at, created_by, updated_by
  FROM relygate.tenant_settings WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.tenant_settings'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.tenant_settings'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = 'relygate.tenant_settings'::regclass)
           @> ARRAY['tenant_settings_key', 'tenant_settings_once'], 'a constraint is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.tenant_settings'::regclass AND tgenabled <> 'D')
           @> ARRAY['touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.tenant_settings', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.tenant_settings', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
