-- Deploy relygate:gates to pg
-- requires: sites

BEGIN;

CREATE TABLE relygate.gates (
    tenant_id  uuid                    NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id         uuid                    NOT NULL DEFAULT relygate.uuid_v7(),
    site_id    uuid                    NOT NULL,
    name       relygate.label          NOT NULL,
    name_key   text                    COLLATE "C" NOT NULL,
    direction  relygate.gate_direction NOT NULL DEFAULT 'both',
    is_active  boolean                 NOT NULL DEFAULT true,
    created_at timestamptz             NOT NULL DEFAULT now(),
    updated_at timestamptz             NOT NULL DEFAULT now(),
    created_by uuid,
    updated_by uuid,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT gates_site_key UNIQUE (tenant_id, site_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES relygate.sites (tenant_id, id)
);
CREATE UNIQUE INDEX gates_name ON relygate.gates (tenant_id, site_id, name_key) WHERE is_active;
COMMENT ON TABLE relygate.gates IS 'Gates of a site.';
COMMENT ON COLUMN relygate.gates.name_key IS 'The name, folded, for the unique index; written by the trigger.';
COMMENT ON COLUMN relygate.gates.direction IS 'Which way people go through it: in, out or both.';

ALTER TABLE relygate.gates OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.gates TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.gates
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label', 'name_key=fold:name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.gates FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.gates FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.gates');

COMMIT;
