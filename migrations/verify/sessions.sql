-- Verify relygate:sessions on pg

BEGIN;

SELECT tenant_id, id, user_id, refresh_hash, used_refresh_hashes, client_address, created_at, refreshed_at, expires_at, revoked_at
  FROM relygate.sessions WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = 'relygate.sessions'::regclass), 'unprotected table';
END $$;

ROLLBACK;
