-- Deploy relygate:tenant_settings to pg
-- requires: sites
--
-- Only what differs from the catalogue of defaults has a row; a site's row wins over the tenant's (site_id null).

BEGIN;

CREATE TABLE relygate.tenant_settings (
    tenant_id  uuid        NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id         uuid        NOT NULL DEFAULT relygate.uuid_v7(),
    site_id    uuid,
    key        text        COLLATE "C" NOT NULL CONSTRAINT tenant_settings_key CHECK (key ~ '^[a-z][a-z0-9_]{1,62}$'),
    value      jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid,
    updated_by uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES relygate.sites (tenant_id, id),
    CONSTRAINT tenant_settings_once UNIQUE NULLS NOT DISTINCT (tenant_id, site_id, key)
);
COMMENT ON TABLE relygate.tenant_settings IS 'Settings of a tenant or of one of its sites, where they differ from the default.';
COMMENT ON COLUMN relygate.tenant_settings.site_id IS 'Null: for all sites that have no row of their own.';

ALTER TABLE relygate.tenant_settings OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.tenant_settings TO relygate_api;

CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.tenant_settings FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.tenant_settings FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.tenant_settings');

COMMIT;
