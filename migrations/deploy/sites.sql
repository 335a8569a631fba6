-- Deploy relygate:sites to pg
-- requires: tenants

BEGIN;

CREATE TABLE relygate.sites (
    tenant_id  uuid           NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id         uuid           NOT NULL DEFAULT relygate.uuid_v7(),
    name       relygate.label NOT NULL,
    time_zone  relygate.time_zone,
    capacity   int            CONSTRAINT sites_capacity CHECK (capacity BETWEEN 1 AND 1000000),
    ask_host   boolean        NOT NULL DEFAULT false,
    is_active  boolean        NOT NULL DEFAULT true,
    created_at timestamptz    NOT NULL DEFAULT now(),
    updated_at timestamptz    NOT NULL DEFAULT now(),
    created_by uuid,
    updated_by uuid,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX sites_name ON relygate.sites (tenant_id, relygate.fold_search(name)) WHERE is_active;
COMMENT ON TABLE relygate.sites IS 'Premises of a tenant: a day, a capacity and gates are a site''s.';
COMMENT ON COLUMN relygate.sites.time_zone IS 'Null: the tenant''s holds.';
COMMENT ON COLUMN relygate.sites.capacity IS 'How many people may be inside at once; null: no limit.';
COMMENT ON COLUMN relygate.sites.ask_host IS 'Walk-ins wait as pending until somebody lets them in.';

ALTER TABLE relygate.sites OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.sites TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.sites
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.sites FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.sites FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.sites');

COMMIT;
