-- Verify relygate:visitor_categories on pg

BEGIN;

SELECT tenant_id, id, name, name_key, asks_mobile, position, is_default, is_active, created_at, updated_at, created_by,
       updated_by
  FROM relygate.visitor_categories WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.visitor_categories'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.visitor_categories'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.visitor_categories'::regclass AND i.indisvalid)
           @> ARRAY['visitor_categories_name', 'visitor_categories_default'], 'an index is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.visitor_categories'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.visitor_categories', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.visitor_categories', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
