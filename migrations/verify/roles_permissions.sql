-- Verify relygate:roles_permissions on pg

BEGIN;

SELECT tenant_id, id, name, is_built_in, created_at, updated_at, created_by, updated_by FROM relygate.roles WHERE false;
SELECT tenant_id, id, role_id, permission FROM relygate.role_permissions WHERE false;
DO $$ BEGIN
    ASSERT (SELECT count(*) = 2 FROM pg_class WHERE oid IN ('relygate.roles'::regclass, 'relygate.role_permissions'::regclass)
               AND relrowsecurity AND relforcerowsecurity), 'unprotected table';
END $$;

ROLLBACK;
