-- Verify relygate:gates on pg

BEGIN;

SELECT tenant_id, id, site_id, name, name_key, direction, is_active, created_at, updated_at, created_by, updated_by
  FROM relygate.gates WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.gates'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.gates'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.gates'::regclass AND i.indisvalid)
           @> ARRAY['gates_name'], 'an index is missing';
    ASSERT ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = 'relygate.gates'::regclass)
           @> ARRAY['gates_site_key'], 'a constraint is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.gates'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.gates', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.gates', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
