-- Revert relygate:roles from pg
--
-- Takes back what the roles have in this database. A role goes only if no other database of the cluster needs it.

BEGIN;

DO $$
DECLARE
    name text;
BEGIN
    EXECUTE format('ALTER DATABASE %I RESET session_preload_libraries', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
    FOREACH name IN ARRAY ARRAY['relygate_shim', 'relygate_api', 'relygate_reporting', 'relygate_platform', 'relygate_audit',
                                'relygate_backup', 'relygate_owner'] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT EXECUTE ON FUNCTIONS TO PUBLIC', name);
        -- The rights in this database alone: DROP OWNED would take those on parameters, which other databases need, too.
        EXECUTE format('REVOKE ALL ON SCHEMA relygate FROM %I', name);
        EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA relygate FROM %I', name);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA relygate FROM %I', name);
    END LOOP;
END $$;
GRANT SELECT ON pg_catalog.pg_db_role_setting TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    pg_catalog.pg_advisory_lock(bigint), pg_catalog.pg_advisory_lock(int, int),
    pg_catalog.pg_advisory_lock_shared(bigint), pg_catalog.pg_advisory_lock_shared(int, int),
    pg_catalog.pg_advisory_xact_lock(bigint), pg_catalog.pg_advisory_xact_lock(int, int),
    pg_catalog.pg_advisory_xact_lock_shared(bigint), pg_catalog.pg_advisory_xact_lock_shared(int, int),
    pg_catalog.pg_try_advisory_lock(bigint), pg_catalog.pg_try_advisory_lock(int, int),
    pg_catalog.pg_try_advisory_lock_shared(bigint), pg_catalog.pg_try_advisory_lock_shared(int, int),
    pg_catalog.pg_try_advisory_xact_lock(bigint), pg_catalog.pg_try_advisory_xact_lock(int, int),
    pg_catalog.pg_try_advisory_xact_lock_shared(bigint), pg_catalog.pg_try_advisory_xact_lock_shared(int, int),
    pg_catalog.lo_creat(int), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea)
   TO PUBLIC;

COMMIT;
