-- Verify relygate:idempotency_keys on pg

BEGIN;

SELECT tenant_id, id, user_id, key, request_digest, status, content_type, headers, body, created_at, expires_at
  FROM relygate.idempotency_keys WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = 'relygate.idempotency_keys'::regclass),
        'unprotected table';
END $$;

ROLLBACK;
