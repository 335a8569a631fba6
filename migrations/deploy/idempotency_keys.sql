-- Deploy relygate:idempotency_keys to pg
-- requires: tenants
--
-- The first answer of a write that carried an Idempotency-Key, kept for a day and given again to a repetition. user_id has
-- no foreign key: an operator's user acts in other tenants too. No audit: machinery. Each new key clears a few that are over.

BEGIN;

CREATE TABLE relygate.idempotency_keys (
    tenant_id      uuid        NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id             uuid        NOT NULL DEFAULT relygate.uuid_v7(),
    user_id        uuid        NOT NULL,
    key            text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_digest bytea       NOT NULL CHECK (octet_length(request_digest) = 32),
    status         int         NOT NULL CHECK (status BETWEEN 200 AND 399),
    content_type   text,
    headers        text[]      NOT NULL DEFAULT '{}',
    body           bytea,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, user_id, key)
);
CREATE INDEX idempotency_keys_expiry ON relygate.idempotency_keys (tenant_id, expires_at);
COMMENT ON TABLE relygate.idempotency_keys IS 'First answers of writes with an Idempotency-Key, kept for 24 hours.';

ALTER TABLE relygate.idempotency_keys OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.idempotency_keys TO relygate_api;

SELECT relygate.protect_table('relygate.idempotency_keys');

COMMIT;
