-- Deploy relygate:sites to pg
-- requires: tenants
--
-- name_key is a column, here and in other tables, and no expression of the index: a restore builds indexes as the table's owner,
-- before anybody has a right on the extension's functions.

BEGIN;

CREATE TABLE relygate.sites (
    tenant_id  uuid           NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id         uuid           NOT NULL DEFAULT relygate.uuid_v7(),
    name       relygate.label NOT NULL,
    name_key   text           COLLATE "C" NOT NULL,
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
CREATE UNIQUE INDEX sites_name ON relygate.sites (tenant_id, name_key) WHERE is_active;
COMMENT ON TABLE relygate.sites IS 'Premises of a tenant: a day, a capacity and gates are a site''s.';
COMMENT ON COLUMN relygate.sites.name_key IS 'The name, folded, for the unique index; written by the trigger.';
COMMENT ON COLUMN relygate.sites.time_zone IS 'Null: the tenant''s holds.';
COMMENT ON COLUMN relygate.sites.capacity IS 'How many people may be inside at once; null: no limit.';
COMMENT ON COLUMN relygate.sites.ask_host IS 'Walk-ins wait as pending until somebody lets them in.';

ALTER TABLE relygate.sites OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.sites TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.sites
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label', 'name_key=fold:name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.sites FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.sites FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.sites');

COMMIT;
