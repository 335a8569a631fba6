-- Deploy relygate:roles_permissions to pg
-- requires: tenants
--
-- Roles of a tenant. The permissions of a built-in role stand in the extension (relygate.built_in_permissions), so that a
-- release can add one without touching every tenant's rows; role_permissions holds those of the roles a tenant makes itself.
-- relygate.permissions_of(role_id) answers for both.

BEGIN;

CREATE TABLE relygate.roles (
    tenant_id   uuid           NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id          uuid           NOT NULL DEFAULT relygate.uuid_v7(),
    name        relygate.label NOT NULL,
    is_built_in boolean        NOT NULL DEFAULT false,
    created_at  timestamptz    NOT NULL DEFAULT now(),
    updated_at  timestamptz    NOT NULL DEFAULT now(),
    created_by  uuid,
    updated_by  uuid,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX roles_name ON relygate.roles (tenant_id, lower(name));
COMMENT ON TABLE relygate.roles IS 'Roles of a tenant: the built-in ones and its own.';

CREATE TABLE relygate.role_permissions (
    tenant_id  uuid        NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id         uuid        NOT NULL DEFAULT relygate.uuid_v7(),
    role_id    uuid        NOT NULL,
    permission text        NOT NULL CHECK (permission ~ '^[a-z_]+\.[a-z_]+$' AND permission !~ '^platform\.'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid,
    updated_by uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, role_id, permission),
    FOREIGN KEY (tenant_id, role_id) REFERENCES relygate.roles (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE relygate.role_permissions IS 'Permissions of the roles that a tenant made itself.';

ALTER TABLE relygate.roles OWNER TO relygate_owner;
ALTER TABLE relygate.role_permissions OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.roles, relygate.role_permissions TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.roles
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.roles FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.role_permissions FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.roles FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.role_permissions FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.roles');
SELECT relygate.protect_table('relygate.role_permissions');

COMMIT;
