-- Verify relygate:purposes on pg

BEGIN;

SELECT tenant_id, id, kind, name, name_key, position, is_active, created_at, updated_at, created_by, updated_by
  FROM relygate.purposes WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.purposes'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.purposes'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.purposes'::regclass AND i.indisvalid)
           @> ARRAY['purposes_name'], 'an index is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.purposes'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.purposes', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.purposes', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
