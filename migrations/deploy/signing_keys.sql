-- Deploy relygate:signing_keys to pg
-- requires: schemas
--
-- Keys of the whole installation, so no tenant's table. Private parts and secrets are readable by relygate_platform alone,
-- whose functions use them (migration platform_functions); everybody else gets the public columns.
-- A token key is published at once and signs from signs_from on, so that no shim meets a signature it cannot check yet;
-- it leaves the published set at published_until, when the longest token signed with it has ended.

BEGIN;

CREATE TABLE relygate_global.signing_keys (
    kid              text        NOT NULL PRIMARY KEY CHECK (kid ~ '^[A-Za-z0-9_-]{1,100}$'),
    purpose          text        NOT NULL CHECK (purpose IN ('token', 'credential', 'document_hash', 'otp_hash')),
    algorithm        text        NOT NULL CHECK (algorithm IN ('ES256', 'ES384', 'EdDSA', 'RS256', 'PS256', 'HS256')),
    public_jwk       text,
    private_jwk      text,
    secret           bytea,
    longest_lifetime interval    NOT NULL DEFAULT interval '24 hours',
    created_at       timestamptz NOT NULL DEFAULT now(),
    signs_from       timestamptz NOT NULL DEFAULT now(),
    published_until  timestamptz,
    CONSTRAINT signing_keys_kind CHECK (
        CASE WHEN purpose IN ('token', 'credential') THEN public_jwk IS NOT NULL AND secret IS NULL AND algorithm <> 'HS256'
             ELSE octet_length(secret) >= 32 AND public_jwk IS NULL AND private_jwk IS NULL AND algorithm = 'HS256' END)
);
CREATE INDEX signing_keys_purpose ON relygate_global.signing_keys (purpose, signs_from);

COMMENT ON TABLE relygate_global.signing_keys IS
'Keys of the installation: of access tokens, of credentials shown as QR codes, and of the keyed hashes of documents and codes.';
COMMENT ON COLUMN relygate_global.signing_keys.private_jwk IS
'The private key, for relygate_platform only. NULL: a key that is only checked with, as that of an earlier installation.';
COMMENT ON COLUMN relygate_global.signing_keys.longest_lifetime IS
'How long the longest token signed with it may live: so long it stays published after a rotation.';
COMMENT ON COLUMN relygate_global.signing_keys.signs_from IS
'The key is published before it signs: every shim knows it by then.';

ALTER TABLE relygate_global.signing_keys OWNER TO relygate_platform;
REVOKE ALL ON relygate_global.signing_keys FROM PUBLIC;
GRANT SELECT (kid, purpose, algorithm, public_jwk, created_at, signs_from, published_until)
   ON relygate_global.signing_keys TO relygate_api, relygate_owner;

-- All may LISTEN, so the notification carries nothing.
CREATE FUNCTION relygate_global.notify_keys() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('relygate_keys', '');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION relygate_global.notify_keys() IS 'Tells the shims that the published keys have changed.';
ALTER FUNCTION relygate_global.notify_keys() OWNER TO relygate_platform;
REVOKE ALL ON FUNCTION relygate_global.notify_keys() FROM PUBLIC;
CREATE TRIGGER notify_keys
    AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF public_jwk, published_until, purpose, kid ON relygate_global.signing_keys
    FOR EACH STATEMENT EXECUTE FUNCTION relygate_global.notify_keys();

COMMIT;
