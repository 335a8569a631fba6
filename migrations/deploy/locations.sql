-- Deploy relygate:locations to pg
-- requires: sites
--
-- The tree of a site. A parent is at the same site: its key carries the site.

BEGIN;

CREATE TABLE relygate.locations (
    tenant_id  uuid                   NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id         uuid                   NOT NULL DEFAULT relygate.uuid_v7(),
    site_id    uuid                   NOT NULL,
    parent_id  uuid,
    kind       relygate.location_kind NOT NULL,
    name       relygate.label         NOT NULL,
    name_key   text                   COLLATE "C" NOT NULL,
    is_active  boolean                NOT NULL DEFAULT true,
    created_at timestamptz            NOT NULL DEFAULT now(),
    updated_at timestamptz            NOT NULL DEFAULT now(),
    created_by uuid,
    updated_by uuid,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT locations_site_key UNIQUE (tenant_id, site_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES relygate.sites (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id, parent_id) REFERENCES relygate.locations (tenant_id, site_id, id),
    CONSTRAINT locations_not_own_parent CHECK (parent_id <> id)
);
CREATE UNIQUE INDEX locations_name ON relygate.locations (tenant_id, site_id, parent_id, name_key) NULLS NOT DISTINCT
    WHERE is_active;
CREATE INDEX locations_parent ON relygate.locations (tenant_id, site_id, parent_id);
CREATE INDEX locations_list ON relygate.locations (tenant_id, name, id);
COMMENT ON TABLE relygate.locations IS 'Buildings, floors and units of a site.';
COMMENT ON COLUMN relygate.locations.name_key IS 'The name, folded, for the unique index; written by the trigger.';

ALTER TABLE relygate.locations OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.locations TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.locations
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label', 'name_key=fold:name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.locations FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.locations FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.locations');

COMMIT;
