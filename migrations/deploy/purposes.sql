-- Deploy relygate:purposes to pg
-- requires: tenants

BEGIN;

CREATE TABLE relygate.purposes (
    tenant_id  uuid                  NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id         uuid                  NOT NULL DEFAULT relygate.uuid_v7(),
    kind       relygate.purpose_kind NOT NULL,
    name       relygate.label        NOT NULL,
    name_key   text                  COLLATE "C" NOT NULL,
    position   int                   NOT NULL DEFAULT 0,
    is_active  boolean               NOT NULL DEFAULT true,
    created_at timestamptz           NOT NULL DEFAULT now(),
    updated_at timestamptz           NOT NULL DEFAULT now(),
    created_by uuid,
    updated_by uuid,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX purposes_name ON relygate.purposes (tenant_id, kind, name_key) WHERE is_active;
COMMENT ON TABLE relygate.purposes IS 'A tenant''s own list of purposes, of visits, passes and movements.';
COMMENT ON COLUMN relygate.purposes.name_key IS 'The name, folded, for the unique index; written by the trigger.';

ALTER TABLE relygate.purposes OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.purposes TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.purposes
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label', 'name_key=fold:name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.purposes FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.purposes FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.purposes');

COMMIT;
