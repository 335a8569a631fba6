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
RETURN pg_catalog.translate(pg_catalog.encode(bytes, 'base64'), E'+/=\n', '-_');
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
