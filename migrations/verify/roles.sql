-- Verify relygate:roles on pg

BEGIN;

DO $$
BEGIN
    ASSERT (SELECT count(*) = 7 FROM pg_catalog.pg_roles WHERE rolname IN ('relygate_owner', 'relygate_audit', 'relygate_api',
            'relygate_shim', 'relygate_reporting', 'relygate_platform', 'relygate_backup')), 'a role is missing';
    ASSERT NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname LIKE 'relygate\_%' AND (rolsuper OR rolcreaterole OR rolreplication
            OR rolbypassrls AND rolname <> 'relygate_backup')), 'a role may too much';
    ASSERT has_parameter_privilege('relygate_api', 'app.tenant_id', 'SET'), 'relygate_api cannot choose a tenant';
    ASSERT has_parameter_privilege('relygate_owner', 'app.tenant_id', 'SET'), 'relygate_owner cannot choose a tenant';
    ASSERT NOT has_parameter_privilege('relygate_reporting', 'app.tenant_id', 'SET'), 'relygate_reporting can choose a tenant';
    ASSERT NOT has_database_privilege('relygate_api', current_database(), 'TEMPORARY'), 'relygate_api can make temporary tables';
    ASSERT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting WHERE setdatabase = 0 AND setrole = 'relygate_shim'::regrole
                      AND 'relygate.context_lifetime=transaction' = ANY (setconfig)), 'the lifetime of the shim''s context is not set';
END $$;

ROLLBACK;
