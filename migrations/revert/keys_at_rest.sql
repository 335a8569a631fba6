-- Revert relygate:keys_at_rest from pg

BEGIN;

-- Without the column they would be gone, and with them every token and every hash.
DO $$ BEGIN
    IF EXISTS (SELECT FROM relygate_global.signing_keys WHERE sealed IS NOT NULL) THEN
        RAISE EXCEPTION 'keys are sealed' USING HINT = 'Run SELECT relygate.unseal_keys() first.';
    END IF;
END $$;

DROP TRIGGER keys_changed ON relygate_global.signing_keys;
DROP FUNCTION relygate.replace_lost_keys(boolean);
DROP FUNCTION relygate.unseal_keys();
DROP FUNCTION relygate.seal_keys();
REVOKE EXECUTE ON FUNCTION relygate.has_key_file(), relygate.key_file_problem(), relygate.seal_secret(bytea, text, text),
    relygate.open_secret(bytea, text, text), relygate.sealed_under(bytea) FROM relygate_platform;

CREATE OR REPLACE FUNCTION relygate.sign_token(user_id uuid, session_id uuid, role text, OUT token text, OUT expires_at timestamptz)
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

CREATE OR REPLACE FUNCTION relygate.keyed_hash(purpose text, value text) RETURNS bytea
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

CREATE OR REPLACE FUNCTION relygate.rotate_signing_key(purpose text, compromised boolean DEFAULT false) RETURNS text
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

DELETE FROM relygate_global.signing_keys WHERE purpose = 'idempotency';
ALTER TABLE relygate_global.signing_keys
    DROP COLUMN sealed,
    DROP CONSTRAINT IF EXISTS signing_keys_kind,
    DROP CONSTRAINT signing_keys_purpose_check,
    ADD CONSTRAINT signing_keys_purpose_check CHECK (purpose IN ('token', 'credential', 'document_hash', 'otp_hash')),
    ADD CONSTRAINT signing_keys_kind CHECK (
        CASE WHEN purpose IN ('token', 'credential') THEN public_jwk IS NOT NULL AND secret IS NULL AND algorithm <> 'HS256'
             ELSE octet_length(secret) >= 32 AND public_jwk IS NULL AND private_jwk IS NULL AND algorithm = 'HS256' END);

COMMIT;
