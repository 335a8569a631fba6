-- Deploy relygate:platform_functions to pg
-- requires: signing_keys tenants
--
-- The few functions with more rights than their caller: they belong to relygate_platform, which has the table of tenants and
-- the keys and no other row. Names are qualified and the search path is fixed, so that no temporary table shadows them.

BEGIN;

GRANT SELECT, INSERT ON relygate.tenants TO relygate_platform;

CREATE FUNCTION relygate.find_tenant(tenant text) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT t.id FROM relygate.tenants t
             WHERE t.code = upper(tenant)
                OR t.id = CASE WHEN tenant ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN tenant::uuid END
             ORDER BY t.code = upper(tenant) DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION relygate.find_tenant(text) IS
'The id of a tenant by its code or id, or NULL. It works without a tenant context: a login begins with it.';

CREATE FUNCTION relygate.list_tenants() RETURNS TABLE (id uuid, code text, name text, kind text, state text, is_operator boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT t.id, t.code::text, t.name::text, t.kind::text, t.state::text, t.is_operator
                   FROM relygate.tenants t ORDER BY t.code;
END $$;
COMMENT ON FUNCTION relygate.list_tenants() IS 'All tenants by code, for scheduled work that goes through them one by one.';

-- Only the row in tenants: what belongs to the tenant is written by relygate.create_tenant under the new tenant's context.
CREATE FUNCTION relygate.insert_tenant(id uuid, code text, name text, kind text, time_zone text, country text, is_operator boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO relygate.tenants (id, code, name, kind, time_zone, country, is_operator)
    VALUES (insert_tenant.id, insert_tenant.code, insert_tenant.name, insert_tenant.kind, insert_tenant.time_zone,
            insert_tenant.country, insert_tenant.is_operator);
END $$;
COMMENT ON FUNCTION relygate.insert_tenant(uuid, text, text, text, text, text, boolean) IS
'Writes the row of a new tenant. Called by relygate.create_tenant alone.';

CREATE FUNCTION relygate.sign_token(user_id uuid, session_id uuid, role text, OUT token text, OUT expires_at timestamptz)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    tenant_id CONSTANT uuid := relygate.current_tenant();
    lifetime CONSTANT interval := current_setting('relygate.token_lifetime')::interval;
    issued CONSTANT timestamptz := date_trunc('second', statement_timestamp());
    key record;
BEGIN
    -- The newest key that every shim knows by now; where there is none yet, the first one.
    SELECT k.kid, k.private_jwk, k.longest_lifetime INTO key FROM relygate_global.signing_keys k
     WHERE k.purpose = 'token' AND k.private_jwk IS NOT NULL AND (k.published_until IS NULL OR k.published_until > statement_timestamp())
     ORDER BY k.signs_from <= statement_timestamp() DESC,
              CASE WHEN k.signs_from <= statement_timestamp() THEN k.signs_from END DESC, k.signs_from LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no key to sign tokens with' USING HINT = 'Run SELECT relygate.rotate_signing_key(''token'').';
    END IF;
    IF lifetime > key.longest_lifetime THEN
        UPDATE relygate_global.signing_keys k SET longest_lifetime = lifetime WHERE k.kid = key.kid;
    END IF;
    expires_at := issued + lifetime;
    token := relygate.jws_sign(key.private_jwk, jsonb_build_object(
        'iss', current_setting('relygate.token_issuer'), 'sub', user_id, 'tenant_id', tenant_id, 'role', role,
        'iat', extract(epoch FROM issued)::bigint, 'nbf', extract(epoch FROM issued)::bigint,
        'exp', extract(epoch FROM expires_at)::bigint, 'jti', relygate.uuid_v7(), 'sid', session_id)::text);
END $$;
COMMENT ON FUNCTION relygate.sign_token(uuid, uuid, text) IS
'An access token of the current tenant for a user and a session; it lives for relygate.token_lifetime.';

CREATE FUNCTION relygate.keyed_hash(purpose text, value text) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    secret bytea;
BEGIN
    SELECT k.secret INTO secret FROM relygate_global.signing_keys k
     WHERE k.purpose = purpose AND k.secret IS NOT NULL ORDER BY k.signs_from DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no key for the purpose "%"', purpose;
    END IF;
    RETURN relygate.hmac_sha256(secret, convert_to(relygate.current_tenant()::text || E'\n' || value, 'UTF8'));
END $$;
COMMENT ON FUNCTION relygate.keyed_hash(text, text) IS
'HMAC-SHA-256 of a value of the current tenant with the key of a purpose (document_hash, otp_hash); NULL for NULL. '
'Equal values of two tenants give different hashes.';

CREATE FUNCTION relygate.rotate_signing_key(purpose text, compromised boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    -- Published so long before it signs: a shim reads the keys again within seconds.
    notice CONSTANT interval := interval '30 seconds';
    is_asymmetric CONSTANT boolean := purpose IN ('token', 'credential');
    has_one CONSTANT boolean := EXISTS (SELECT FROM relygate_global.signing_keys k
                                         WHERE k.purpose = purpose AND (k.private_jwk IS NOT NULL OR k.secret IS NOT NULL));
    new_kid text;
    private_jwk text;
    jwk jsonb;
BEGIN
    IF purpose NOT IN ('token', 'credential', 'document_hash', 'otp_hash') THEN
        RAISE EXCEPTION 'there are no keys for the purpose "%"', purpose USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Purposes are token, credential, document_hash and otp_hash.';
    END IF;
    LOCK TABLE relygate_global.signing_keys IN SHARE ROW EXCLUSIVE MODE;    -- two rotations at once would both be the newest
    IF purpose = 'document_hash' AND has_one THEN
        RAISE EXCEPTION 'the key of document hashes cannot be exchanged' USING ERRCODE = 'feature_not_supported',
            DETAIL = 'Documents are found again by their hash, and the numbers themselves are not kept.';
    END IF;
    DELETE FROM relygate_global.signing_keys k WHERE k.published_until < now();
    IF compromised THEN
        DELETE FROM relygate_global.signing_keys k WHERE k.purpose = purpose;
    ELSE
        UPDATE relygate_global.signing_keys k SET published_until = now() + notice + k.longest_lifetime
         WHERE k.purpose = purpose AND k.private_jwk IS NOT NULL AND k.published_until IS NULL;
    END IF;
    IF is_asymmetric THEN
        private_jwk := relygate.new_signing_key('ES256');
        jwk := private_jwk::jsonb;
        new_kid := jwk ->> 'kid';
        INSERT INTO relygate_global.signing_keys (kid, purpose, algorithm, public_jwk, private_jwk, signs_from)
        VALUES (new_kid, purpose, jwk ->> 'alg', relygate.public_jwk(private_jwk), private_jwk,
                CASE WHEN has_one AND NOT compromised THEN now() + notice ELSE now() END);
    ELSE
        new_kid := relygate.random_token(16);
        INSERT INTO relygate_global.signing_keys (kid, purpose, algorithm, secret)
        VALUES (new_kid, purpose, 'HS256', relygate.random_bytes(32));
    END IF;
    RETURN new_kid;
END $$;
COMMENT ON FUNCTION relygate.rotate_signing_key(text, boolean) IS
'Makes a new key for a purpose (token, credential, otp_hash) and returns its kid. The old one of tokens stays published until '
'the longest token signed with it has ended; with compromised it goes at once, and everybody logs in again.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['find_tenant(text)', 'list_tenants()',
        'insert_tenant(uuid, text, text, text, text, text, boolean)', 'sign_token(uuid, uuid, text)', 'keyed_hash(text, text)',
        'rotate_signing_key(text, boolean)'] LOOP
        EXECUTE format('ALTER FUNCTION relygate.%s OWNER TO relygate_platform', name);
        EXECUTE format('REVOKE ALL ON FUNCTION relygate.%s FROM PUBLIC', name);
    END LOOP;
END $$;
-- keyed_hash is for triggers and functions of relygate_owner's tables as well; a new tenant and a new key are a DBA's.
GRANT EXECUTE ON FUNCTION relygate.find_tenant(text), relygate.list_tenants(), relygate.sign_token(uuid, uuid, text),
    relygate.keyed_hash(text, text) TO relygate_api;
GRANT EXECUTE ON FUNCTION relygate.keyed_hash(text, text) TO relygate_owner;
GRANT EXECUTE ON FUNCTION relygate.jws_sign(text, text), relygate.new_signing_key(text), relygate.public_jwk(text),
    relygate.hmac_sha256(bytea, bytea), relygate.random_token(int), relygate.random_bytes(int), relygate.base64url(bytea), relygate.current_tenant(),
    relygate.uuid_v7() TO relygate_platform;

SELECT relygate.rotate_signing_key(wanted.purpose) FROM unnest(ARRAY['token', 'document_hash']) AS wanted (purpose)
 WHERE NOT EXISTS (SELECT FROM relygate_global.signing_keys k WHERE k.purpose = wanted.purpose);

COMMIT;
