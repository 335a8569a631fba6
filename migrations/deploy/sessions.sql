-- Deploy relygate:sessions to pg
-- requires: users
--
-- One row a login. A request is served while its session is live (not revoked, not expired). The refresh token is kept as a
-- digest only; used_refresh_hashes holds the last ones that were exchanged: who shows one of them again has a copy, and the
-- session ends. No audit: a session is machinery, not data of the tenant.

BEGIN;

CREATE TABLE relygate.sessions (
    tenant_id           uuid        NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id                  uuid        NOT NULL DEFAULT relygate.uuid_v7(),
    user_id             uuid        NOT NULL,
    refresh_hash        bytea       NOT NULL CHECK (octet_length(refresh_hash) = 32),
    used_refresh_hashes bytea[]     NOT NULL DEFAULT '{}',
    client_address      inet,
    created_at          timestamptz NOT NULL DEFAULT now(),
    refreshed_at        timestamptz NOT NULL DEFAULT now(),
    expires_at          timestamptz NOT NULL,
    revoked_at          timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES relygate.users (tenant_id, id)
);
CREATE INDEX sessions_user ON relygate.sessions (tenant_id, user_id);
COMMENT ON TABLE relygate.sessions IS 'Logins: each access token names one, and is refused when it has ended.';

ALTER TABLE relygate.sessions OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.sessions TO relygate_api;

SELECT relygate.protect_table('relygate.sessions');

COMMIT;
