-- Verify relygate:visitors on pg

BEGIN;

SELECT tenant_id, id, visitor_type, first_name, last_name, mobile, email, category_id, document_type,
       document_masked, document_hash, vehicle_no, unit_id, registration_no, security_code, valid_from, valid_until,
       search_name, is_active, created_at, updated_at, created_by, updated_by
  FROM relygate.visitors WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.visitors'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.visitors'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.visitors'::regclass AND i.indisvalid)
           @> ARRAY['visitors_registered_mobile', 'visitors_unregistered_person', 'visitors_registration',
              'visitors_mobile', 'visitors_vehicle', 'visitors_document_key', 'visitors_code',
              'visitors_category', 'visitors_unit', 'visitors_search'], 'an index is missing';
    ASSERT ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = 'relygate.visitors'::regclass)
           @> ARRAY['visitors_document_hash', 'visitors_registration_no', 'visitors_security_code',
              'visitors_validity', 'visitors_document', 'visitors_registered'], 'a constraint is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.visitors'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.visitors', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.visitors', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
