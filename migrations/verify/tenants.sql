-- Verify relygate:tenants on pg

BEGIN;

SELECT id, code, name, kind, time_zone, country, state, subscription_from, subscription_until, is_operator,
       created_at, updated_at, created_by, updated_by
  FROM relygate.tenants WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.tenants'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.tenants'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = 'relygate.tenants'::regclass)
           @> ARRAY['tenants_code', 'tenants_subscription'], 'a constraint is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.tenants'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.tenants', 'SELECT') AND NOT has_table_privilege('relygate_api', 'relygate.tenants', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
