-- Verify relygate:schemas on pg

BEGIN;
DO $$
BEGIN
    ASSERT has_schema_privilege('relygate_reporting', 'relygate_report', 'USAGE');
    ASSERT has_schema_privilege('relygate_api', 'relygate_global', 'USAGE');
    ASSERT NOT has_schema_privilege('relygate_api', 'relygate', 'CREATE');
    ASSERT NOT has_schema_privilege('relygate_reporting', 'relygate_global', 'USAGE');
END $$;
ROLLBACK;
