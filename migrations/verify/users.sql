-- Verify relygate:users on pg

BEGIN;

SELECT tenant_id, id, user_name, login_name, password_hash, first_name, last_name, email, mobile, role_id, is_active,
       last_login_at, password_changed_at, created_at, updated_at, created_by, updated_by
  FROM relygate.users WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = 'relygate.users'::regclass), 'unprotected table';
END $$;

ROLLBACK;
