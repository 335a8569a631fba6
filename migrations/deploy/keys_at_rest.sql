-- Deploy relygate:keys_at_rest to pg
-- requires: platform_functions
-- extension: 1.1.0
--
-- Private keys and secrets stand in `sealed`, encrypted under the key file of the server (setting relygate.key_file), so that a
-- dump gives nobody a token. Without a key file they stay as they were; rows of 1.0.0 stay readable. A sealed value opens only in
-- the row, by kid and purpose, that it was sealed for.

BEGIN;

ALTER TABLE relygate_global.signing_keys
    ADD COLUMN sealed bytea,
    DROP CONSTRAINT signing_keys_kind,
    DROP CONSTRAINT signing_keys_purpose_check,
    ADD CONSTRAINT signing_keys_purpose_check CHECK (purpose IN ('token', 'credential', 'document_hash', 'otp_hash', 'idempotency')),
    ADD CONSTRAINT signing_keys_kind CHECK (
        CASE WHEN purpose IN ('token', 'credential')
             THEN public_jwk IS NOT NULL AND secret IS NULL AND num_nonnulls(private_jwk, sealed) <= 1 AND algorithm <> 'HS256'
             ELSE num_nonnulls(secret, sealed) = 1 AND coalesce(octet_length(secret) >= 32, true)
                  AND public_jwk IS NULL AND private_jwk IS NULL AND algorithm = 'HS256' END);
COMMENT ON COLUMN relygate_global.signing_keys.sealed IS
'The private key or the secret, sealed under the key file; the plain column is then NULL. For relygate_platform only.';

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
    SELECT k.kid, k.private_jwk, k.sealed, k.longest_lifetime INTO key FROM relygate_global.signing_keys k
     WHERE k.purpose = 'token' AND (k.private_jwk IS NOT NULL OR k.sealed IS NOT NULL)
       AND (k.published_until IS NULL OR k.published_until > statement_timestamp())
     ORDER BY k.signs_from <= statement_timestamp() DESC,
              CASE WHEN k.signs_from <= statement_timestamp() THEN k.signs_from END DESC, k.signs_from LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no key to sign tokens with' USING HINT = 'Run SELECT relygate.rotate_signing_key(''token'').';
    END IF;
    IF lifetime > key.longest_lifetime THEN
        UPDATE relygate_global.signing_keys k SET longest_lifetime = lifetime WHERE k.kid = key.kid;
    END IF;
    expires_at := issued + lifetime;
    token := relygate.jws_sign(coalesce(key.private_jwk, convert_from(relygate.open_secret(key.sealed, key.kid, 'token'), 'UTF8')), jsonb_build_object(
        'iss', current_setting('relygate.token_issuer'), 'sub', user_id, 'tenant_id', tenant_id, 'role', role,
        'iat', extract(epoch FROM issued)::bigint, 'nbf', extract(epoch FROM issued)::bigint,
        'exp', extract(epoch FROM expires_at)::bigint, 'jti', relygate.uuid_v7(), 'sid', session_id)::text);
END $$;

CREATE OR REPLACE FUNCTION relygate.keyed_hash(purpose text, value text) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    key record;
BEGIN
    SELECT k.kid, k.secret, k.sealed INTO key FROM relygate_global.signing_keys k
     WHERE k.purpose = purpose AND (k.secret IS NOT NULL OR k.sealed IS NOT NULL)
     ORDER BY k.signs_from DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no key for the purpose "%"', purpose;
    END IF;
    RETURN relygate.hmac_sha256(coalesce(key.secret, relygate.open_secret(key.sealed, key.kid, purpose)),
        convert_to(relygate.current_tenant()::text || E'\n' || value, 'UTF8'));
END $$;

CREATE OR REPLACE FUNCTION relygate.rotate_signing_key(purpose text, compromised boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    -- Published so long before it signs: a shim reads the keys again within seconds.
    notice CONSTANT interval := interval '30 seconds';
    is_asymmetric CONSTANT boolean := purpose IN ('token', 'credential');
    has_one CONSTANT boolean := EXISTS (SELECT FROM relygate_global.signing_keys k
                                         WHERE k.purpose = purpose AND num_nonnulls(k.private_jwk, k.secret, k.sealed) > 0);
    seals CONSTANT boolean := relygate.has_key_file();
    new_kid text;
    private_jwk text;
    secret bytea;
    jwk jsonb;
BEGIN
    IF purpose NOT IN ('token', 'credential', 'document_hash', 'otp_hash', 'idempotency') THEN
        RAISE EXCEPTION 'there are no keys for the purpose "%"', purpose USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Purposes are token, credential, document_hash, otp_hash and idempotency.';
    END IF;
    LOCK TABLE relygate_global.signing_keys IN SHARE ROW EXCLUSIVE MODE;    -- two rotations at once would both be the newest
    IF purpose = 'document_hash' AND has_one THEN
        RAISE EXCEPTION 'the key of document hashes cannot be exchanged' USING ERRCODE = 'feature_not_supported',
            DETAIL = 'Documents are found again by their hash, and the numbers themselves are not kept.';
    END IF;
    DELETE FROM relygate_global.signing_keys k WHERE k.published_until < now();
    IF compromised OR purpose = 'idempotency' THEN    -- requests are known again for a day only
        DELETE FROM relygate_global.signing_keys k WHERE k.purpose = purpose;
    ELSE
        UPDATE relygate_global.signing_keys k SET published_until = now() + notice + k.longest_lifetime
         WHERE k.purpose = purpose AND num_nonnulls(k.private_jwk, k.sealed) > 0 AND is_asymmetric AND k.published_until IS NULL;
    END IF;
    IF is_asymmetric THEN
        private_jwk := relygate.new_signing_key('ES256');
        jwk := private_jwk::jsonb;
        new_kid := jwk ->> 'kid';
        INSERT INTO relygate_global.signing_keys (kid, purpose, algorithm, public_jwk, private_jwk, sealed, signs_from)
        VALUES (new_kid, purpose, jwk ->> 'alg', relygate.public_jwk(private_jwk), CASE WHEN NOT seals THEN private_jwk END,
                CASE WHEN seals THEN relygate.seal_secret(convert_to(private_jwk, 'UTF8'), new_kid, purpose) END,
                CASE WHEN has_one AND NOT compromised THEN now() + notice ELSE now() END);
    ELSE
        new_kid := relygate.random_token(16);
        secret := relygate.random_bytes(32);
        INSERT INTO relygate_global.signing_keys (kid, purpose, algorithm, secret, sealed)
        VALUES (new_kid, purpose, 'HS256', CASE WHEN NOT seals THEN secret END,
                CASE WHEN seals THEN relygate.seal_secret(secret, new_kid, purpose) END);
    END IF;
    RETURN new_kid;
END $$;
COMMENT ON FUNCTION relygate.rotate_signing_key(text, boolean) IS
'Makes a new key for a purpose (token, credential, otp_hash, idempotency) and returns its kid, sealed where there is a key file. '
'The old one of tokens stays published until the longest token signed with it has ended; with compromised it goes at once, and '
'everybody logs in again.';

CREATE FUNCTION relygate.seal_keys() RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key record;
    sealed_keys int := 0;
BEGIN
    LOCK TABLE relygate_global.signing_keys IN SHARE ROW EXCLUSIVE MODE;
    FOR key IN SELECT k.* FROM relygate_global.signing_keys k
                WHERE num_nonnulls(k.private_jwk, k.secret) > 0 OR relygate.sealed_under(k.sealed) <> 1 LOOP
        UPDATE relygate_global.signing_keys k SET private_jwk = NULL, secret = NULL, sealed = relygate.seal_secret(
            coalesce(convert_to(key.private_jwk, 'UTF8'), key.secret, relygate.open_secret(key.sealed, key.kid, key.purpose)),
            key.kid, key.purpose)
         WHERE k.kid = key.kid;
        sealed_keys := sealed_keys + 1;
    END LOOP;
    RETURN sealed_keys;
END $$;
COMMENT ON FUNCTION relygate.seal_keys() IS
'Seals every key under the first key of the key file: those that stand plain and those under an older key. Returns how many. '
'Errors: F0000 as seal_secret. Callers: a superuser.';

CREATE FUNCTION relygate.unseal_keys() RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key record;
    opened bytea;
    opened_keys int := 0;
BEGIN
    LOCK TABLE relygate_global.signing_keys IN SHARE ROW EXCLUSIVE MODE;
    FOR key IN SELECT k.* FROM relygate_global.signing_keys k WHERE k.sealed IS NOT NULL LOOP
        opened := relygate.open_secret(key.sealed, key.kid, key.purpose);
        UPDATE relygate_global.signing_keys k SET sealed = NULL,
            private_jwk = CASE WHEN key.public_jwk IS NOT NULL THEN convert_from(opened, 'UTF8') END,
            secret = CASE WHEN key.public_jwk IS NULL THEN opened END
         WHERE k.kid = key.kid;
        opened_keys := opened_keys + 1;
    END LOOP;
    RETURN opened_keys;
END $$;
COMMENT ON FUNCTION relygate.unseal_keys() IS
'Puts every key back plain, before the key file is given up. Returns how many. Errors as open_secret. Callers: a superuser.';

-- Names what is lost instead of working on with half of it.
CREATE FUNCTION relygate.replace_lost_keys(is_lost_forever boolean) RETURNS TABLE (purpose text, kid text, lost text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF is_lost_forever IS NOT TRUE THEN
        RAISE EXCEPTION 'keys are replaced only where the key file is lost forever' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'If you are sure: SELECT * FROM relygate.replace_lost_keys(true).';
    END IF;
    IF NOT relygate.has_key_file() OR relygate.key_file_problem() IS NOT NULL THEN
        RAISE EXCEPTION 'a new key file is needed first' USING ERRCODE = 'config_file_error',
            HINT = 'scripts/key-file new FILE, then name it by relygate.key_file.';
    END IF;
    LOCK TABLE relygate_global.signing_keys IN SHARE ROW EXCLUSIVE MODE;
    FOR purpose IN SELECT DISTINCT k.purpose FROM relygate_global.signing_keys k WHERE relygate.sealed_under(k.sealed) = 0 LOOP
        DELETE FROM relygate_global.signing_keys k WHERE k.purpose = purpose AND relygate.sealed_under(k.sealed) = 0;
        kid := relygate.rotate_signing_key(purpose);
        lost := CASE purpose
            WHEN 'token' THEN 'All tokens signed with it are invalid: everybody logs in again.'
            WHEN 'credential' THEN 'All credentials signed with it are invalid: issue them again.'
            WHEN 'document_hash' THEN 'Documents are not found again by their number: each visitor''s is kept anew when it is next shown.'
            WHEN 'otp_hash' THEN 'Codes that were sent are invalid: send new ones.'
            ELSE 'A request of the last day that is repeated with its Idempotency-Key is refused with 422.' END;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION relygate.replace_lost_keys(boolean) IS
'Makes new keys for those that no key file opens any more, and says what is lost with each. Nothing else brings them back. '
'Errors: 22023 without true, F0000 without a usable new key file. Callers: a superuser.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['seal_keys()', 'unseal_keys()', 'replace_lost_keys(boolean)'] LOOP
        EXECUTE format('ALTER FUNCTION relygate.%s OWNER TO relygate_platform', name);
        EXECUTE format('REVOKE ALL ON FUNCTION relygate.%s FROM PUBLIC', name);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION relygate.has_key_file(), relygate.key_file_problem(), relygate.seal_secret(bytea, text, text),
    relygate.open_secret(bytea, text, text), relygate.sealed_under(bytea) TO relygate_platform;

CREATE TRIGGER keys_changed AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE ON relygate_global.signing_keys
    FOR EACH STATEMENT EXECUTE FUNCTION relygate.keys_changed();

DO $$ BEGIN
    PERFORM relygate.rotate_signing_key('idempotency');
END $$;

COMMIT;
