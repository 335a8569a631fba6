-- Deploy relygate:users to pg
-- requires: roles_permissions
--
-- People who log in. login_name is the user name without regard to case, kept as a column because an index on lower(...)
-- cannot be used under row-level security (lower is not leakproof). password_hash: yescrypt, or the bcrypt of imported users,
-- up to cost 14: a backend cannot be interrupted while it checks one.

BEGIN;

CREATE TABLE relygate.users (
    tenant_id           uuid               NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id                  uuid               NOT NULL DEFAULT relygate.uuid_v7(),
    user_name           relygate.user_name NOT NULL,
    login_name          text               NOT NULL,
    password_hash       text               NOT NULL CHECK (password_hash ~ '^\$(y|2[aby]\$(0[4-9]|1[0-4]))\$'),
    first_name          relygate.person_name,
    last_name           relygate.person_name,
    email               relygate.email_address,
    mobile              relygate.mobile,
    role_id             uuid               NOT NULL,
    is_active           boolean            NOT NULL DEFAULT true,
    last_login_at       timestamptz,
    password_changed_at timestamptz        NOT NULL DEFAULT now(),
    created_at          timestamptz        NOT NULL DEFAULT now(),
    updated_at          timestamptz        NOT NULL DEFAULT now(),
    created_by          uuid,
    updated_by          uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES relygate.roles (tenant_id, id)
);
CREATE UNIQUE INDEX users_login_name ON relygate.users (tenant_id, login_name);
CREATE INDEX users_role ON relygate.users (tenant_id, role_id);
COMMENT ON TABLE relygate.users IS 'People who log in to a tenant.';

-- What planner estimates tell of a personal column, they tell every tenant.
ALTER TABLE relygate.users
    ALTER COLUMN user_name SET STATISTICS 0, ALTER COLUMN login_name SET STATISTICS 0, ALTER COLUMN password_hash SET STATISTICS 0,
    ALTER COLUMN first_name SET STATISTICS 0, ALTER COLUMN last_name SET STATISTICS 0,
    ALTER COLUMN email SET STATISTICS 0, ALTER COLUMN mobile SET STATISTICS 0;

ALTER TABLE relygate.users OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE ON relygate.users TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.users
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('user_name=user_name', 'first_name=person_name',
        'last_name=person_name', 'email=email', 'mobile=mobile', 'login_name=fold:user_name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.users FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.users FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.users');

COMMIT;
