-- Deploy relygate:roles to pg
--
-- The roles of docs/isolation.md and who may set the tenant context. Roles belong to the whole cluster and several
-- databases may share them, so each is made if it is missing and brought into its form otherwise.
--
-- This migration, guard (event triggers) and CREATE EXTENSION are what needs a superuser: CREATE ROLE ... BYPASSRLS, GRANT SET
-- ON PARAMETER, session_preload_libraries, rights on pg_catalog. Logins get their passwords from whoever runs the installation.

BEGIN;

DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('relygate_owner', 'NOLOGIN NOBYPASSRLS', 'Owns the tables, except the audit; held by the policies as everybody.'),
            ('relygate_audit', 'NOLOGIN NOBYPASSRLS', 'Owns the audit log; has no members.'),
            ('relygate_api', 'NOLOGIN NOBYPASSRLS', 'May choose a tenant and call the API functions.'),
            ('relygate_shim', 'LOGIN NOBYPASSRLS', 'The HTTP service.'),
            ('relygate_reporting', 'NOLOGIN NOBYPASSRLS', 'Reads the reporting views; its members are bound to a tenant each.'),
            ('relygate_platform', 'NOLOGIN NOBYPASSRLS', 'Owns the few functions that act before a tenant is known, and the keys.'),
            ('relygate_backup', 'LOGIN BYPASSRLS', 'Dumps: reads everything, writes nothing.'))
            AS r (name, attributes, purpose)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I', wanted.name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;   -- another database of the cluster was faster
            END;
        END IF;
        EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION %s', wanted.name, wanted.attributes);
        EXECUTE format('COMMENT ON ROLE %I IS %L', wanted.name, wanted.purpose);
    END LOOP;
END $$;

GRANT relygate_api TO relygate_shim;
GRANT pg_read_all_data TO relygate_backup;
-- A chosen tenant is good for the transaction that chose it, so no client of a pool inherits one.
ALTER ROLE relygate_shim SET relygate.context_lifetime = 'transaction';
ALTER ROLE relygate_backup SET default_transaction_read_only = on;

GRANT SET ON PARAMETER app.tenant_id, app.user_id, app.user_role, app.request_id, app.client_address
   TO relygate_api, relygate_owner;

DO $$
BEGIN
    -- Loaded with the session, so that a forbidden value given by the client is refused and not only doubted later.
    EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = %L', current_database(), 'relygate');
    -- Temporary tables and schemas of one's own are ways around names; the next client of a pool would read them, too.
    EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC', current_database());
END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- Which login is bound to which tenant.
REVOKE SELECT ON pg_catalog.pg_db_role_setting FROM PUBLIC;
-- Any login could hold an advisory lock that another waits for, and large objects know no policies.
REVOKE EXECUTE ON FUNCTION
    pg_catalog.pg_advisory_lock(bigint), pg_catalog.pg_advisory_lock(int, int),
    pg_catalog.pg_advisory_lock_shared(bigint), pg_catalog.pg_advisory_lock_shared(int, int),
    pg_catalog.pg_advisory_xact_lock(bigint), pg_catalog.pg_advisory_xact_lock(int, int),
    pg_catalog.pg_advisory_xact_lock_shared(bigint), pg_catalog.pg_advisory_xact_lock_shared(int, int),
    pg_catalog.pg_try_advisory_lock(bigint), pg_catalog.pg_try_advisory_lock(int, int),
    pg_catalog.pg_try_advisory_lock_shared(bigint), pg_catalog.pg_try_advisory_lock_shared(int, int),
    pg_catalog.pg_try_advisory_xact_lock(bigint), pg_catalog.pg_try_advisory_xact_lock(int, int),
    pg_catalog.pg_try_advisory_xact_lock_shared(bigint), pg_catalog.pg_try_advisory_xact_lock_shared(int, int),
    pg_catalog.lo_creat(int), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea)
 FROM PUBLIC;

-- A function that one of these roles makes later is nobody's until it is granted.
ALTER DEFAULT PRIVILEGES FOR ROLE relygate_owner, relygate_platform, relygate_audit REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT USAGE ON SCHEMA relygate
   TO relygate_owner, relygate_audit, relygate_api, relygate_reporting, relygate_platform;

COMMIT;
