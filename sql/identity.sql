-- What logins, tokens and codes are made of: C++ functions over libcrypt, OpenSSL and core/token. The functions that use keys
-- (sign_token, keyed_hash, rotate_signing_key) come from the migration platform_functions, since they read a table of keys.

CREATE FUNCTION @extschema@.hash_password(password text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_hash_password';
COMMENT ON FUNCTION @extschema@.hash_password(text) IS
'The yescrypt hash of a password, salted at random. Errors: RG400 longer than 1024 bytes.';
REVOKE ALL ON FUNCTION @extschema@.hash_password(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.verify_password(password text, password_hash text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_verify_password';
COMMENT ON FUNCTION @extschema@.verify_password(text, text) IS
'Whether a password has this hash (yescrypt or bcrypt). Without a hash it works as long and says false.';
REVOKE ALL ON FUNCTION @extschema@.verify_password(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_bytes(count int) RETURNS bytea
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_random_bytes';
COMMENT ON FUNCTION @extschema@.random_bytes(int) IS 'Up to 1024 bytes from the strong source of random numbers.';
REVOKE ALL ON FUNCTION @extschema@.random_bytes(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_code(length int) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_random_code';
COMMENT ON FUNCTION @extschema@.random_code(int) IS
'A random code of capitals and digits without 0 O 1 I, up to 64 long: registration numbers, badges.';
REVOKE ALL ON FUNCTION @extschema@.random_code(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_digits(length int) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_random_digits';
COMMENT ON FUNCTION @extschema@.random_digits(int) IS 'Random digits, up to 64, each as likely as the others: security codes.';
REVOKE ALL ON FUNCTION @extschema@.random_digits(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.base64url(bytes bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT pg_catalog.translate(pg_catalog.encode(bytes, 'base64'), E'+/=\n', '-_') $$;
COMMENT ON FUNCTION @extschema@.base64url(bytea) IS 'Bytes as base64url without padding (RFC 4648, 5).';
REVOKE ALL ON FUNCTION @extschema@.base64url(bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_token(bytes int) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN @extschema@.base64url(@extschema@.random_bytes(bytes));
END $$;
COMMENT ON FUNCTION @extschema@.random_token(int) IS 'So many random bytes as base64url text.';
REVOKE ALL ON FUNCTION @extschema@.random_token(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.hmac_sha256(secret bytea, value bytea) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_hmac_sha256';
COMMENT ON FUNCTION @extschema@.hmac_sha256(bytea, bytea) IS 'HMAC-SHA-256 (RFC 2104).';
REVOKE ALL ON FUNCTION @extschema@.hmac_sha256(bytea, bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.new_signing_key(algorithm text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_new_signing_key';
COMMENT ON FUNCTION @extschema@.new_signing_key(text) IS
'A new private JWK with kid and alg, for ES256 or EdDSA. Kept by relygate.rotate_signing_key().';
REVOKE ALL ON FUNCTION @extschema@.new_signing_key(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.public_jwk(private_jwk text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_public_jwk';
COMMENT ON FUNCTION @extschema@.public_jwk(text) IS 'A JWK without its private part.';
REVOKE ALL ON FUNCTION @extschema@.public_jwk(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.jws_sign(private_jwk text, claims text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_jws_sign';
COMMENT ON FUNCTION @extschema@.jws_sign(text, text) IS
'A compact JWS (RFC 7515) over JSON claims; the algorithm is the key''s. Tokens are made by relygate.sign_token().';
REVOKE ALL ON FUNCTION @extschema@.jws_sign(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.current_session_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_current_session_id';
COMMENT ON FUNCTION @extschema@.current_session_id() IS 'The session whose request runs in this transaction, or NULL.';
REVOKE ALL ON FUNCTION @extschema@.current_session_id() FROM PUBLIC;

CREATE FUNCTION @extschema@.jwks() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT json_build_object('keys', coalesce(json_agg(k.public_jwk::json ORDER BY k.signs_from DESC, k.kid), '[]'))
              FROM relygate_global.signing_keys k
             WHERE k.purpose = 'token' AND (k.published_until IS NULL OR k.published_until > now()));
END $$;
COMMENT ON FUNCTION @extschema@.jwks() IS
'The public keys of access tokens as a JWK set (RFC 7517, 5), those that wait to sign and those that only still verify too.';
REVOKE ALL ON FUNCTION @extschema@.jwks() FROM PUBLIC;

-- Keys at rest (migration keys_at_rest). None of these is for the API: who opens keys is relygate_platform, by its functions.

CREATE FUNCTION @extschema@.has_key_file() RETURNS boolean
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_has_key_file';
COMMENT ON FUNCTION @extschema@.has_key_file() IS 'Whether the setting relygate.key_file names a file. Callers: relygate_platform.';
REVOKE ALL ON FUNCTION @extschema@.has_key_file() FROM PUBLIC;

CREATE FUNCTION @extschema@.key_file_problem() RETURNS text
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_key_file_problem';
COMMENT ON FUNCTION @extschema@.key_file_problem() IS
'Why the file of relygate.key_file cannot be used, a clause; NULL where it can or none is named. Callers: relygate_platform, a superuser.';
REVOKE ALL ON FUNCTION @extschema@.key_file_problem() FROM PUBLIC;

CREATE FUNCTION @extschema@.seal_secret(secret bytea, kid text, purpose text) RETURNS bytea
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_seal_secret';
COMMENT ON FUNCTION @extschema@.seal_secret(bytea, text, text) IS
'A secret sealed by AES-256-GCM under the first key of the key file, bound to the id and purpose of the key that it is. '
'Errors: F0000 no key file, or one that cannot be used. Callers: relygate_platform.';
REVOKE ALL ON FUNCTION @extschema@.seal_secret(bytea, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.open_secret(sealed bytea, kid text, purpose text) RETURNS bytea
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_open_secret';
COMMENT ON FUNCTION @extschema@.open_secret(bytea, text, text) IS
'What seal_secret sealed for this kid and purpose. Errors: F0000 no key file, one that cannot be used, or not the one that it '
'was sealed under; XX001 it was changed or is another key''s. Callers: relygate_platform.';
REVOKE ALL ON FUNCTION @extschema@.open_secret(bytea, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.sealed_under(sealed bytea) RETURNS int
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_sealed_under';
COMMENT ON FUNCTION @extschema@.sealed_under(bytea) IS
'Which key of the key file sealed it, by its place: 1 is the one that seals now, 0 none of them. Callers: relygate_platform.';
REVOKE ALL ON FUNCTION @extschema@.sealed_under(bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.keys_changed() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'relygate_keys_changed';
COMMENT ON FUNCTION @extschema@.keys_changed() IS 'Makes every backend read its keys again after the commit.';
REVOKE ALL ON FUNCTION @extschema@.keys_changed() FROM PUBLIC;

CREATE FUNCTION @extschema@.key_findings() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    problem CONSTANT text := @extschema@.key_file_problem();
    plain int;
    older int;
    closed int;
BEGIN
    SELECT count(*) FILTER (WHERE coalesce(k.private_jwk, k.secret::text) IS NOT NULL),
           count(*) FILTER (WHERE @extschema@.sealed_under(k.sealed) > 1),
           count(*) FILTER (WHERE @extschema@.sealed_under(k.sealed) = 0)
      INTO plain, older, closed FROM relygate_global.signing_keys k;
    IF NOT @extschema@.has_key_file() THEN
        RETURN QUERY SELECT 'setting relygate.key_file', 'no key file is named: whoever has a dump can make tokens',
            'scripts/key-file new FILE, ALTER SYSTEM SET relygate.key_file = FILE, then SELECT relygate.seal_keys();';
    ELSIF problem IS NOT NULL THEN
        RETURN QUERY SELECT 'setting relygate.key_file', 'the key file cannot be used: ' || problem,
            'Put it right; until then nobody can log in.';
    ELSIF plain > 0 THEN
        RETURN QUERY SELECT 'relygate_global.signing_keys', format('keys that are not sealed: %s', plain), 'SELECT relygate.seal_keys();';
    END IF;
    IF problem IS NULL AND older > 0 THEN
        RETURN QUERY SELECT 'relygate_global.signing_keys', format('keys sealed under an older key of the key file: %s', older),
            'SELECT relygate.seal_keys(), then scripts/key-file trim FILE.';
    END IF;
    IF problem IS NULL AND closed > 0 THEN
        RETURN QUERY SELECT 'relygate_global.signing_keys', format('keys that the key file does not open: %s', closed),
            'Name the right file; if it is lost, see "A lost key file" in docs/administration.md.';
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.key_findings() IS
'What is wrong with how the keys of the installation are kept; empty is right. Callers: a superuser, scripts/doctor.';
REVOKE ALL ON FUNCTION @extschema@.key_findings() FROM PUBLIC;
