-- Deploy relygate:hosts to pg
-- requires: locations users

BEGIN;

CREATE TABLE relygate.hosts (
    tenant_id   uuid                 NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id          uuid                 NOT NULL DEFAULT relygate.uuid_v7(),
    kind        relygate.host_kind   NOT NULL,
    first_name  relygate.person_name NOT NULL,
    last_name   relygate.person_name,
    mobile      relygate.mobile,
    email       relygate.email_address,
    location_id uuid,
    user_id     uuid,
    search_name text                 COLLATE "C" NOT NULL,
    is_active   boolean              NOT NULL DEFAULT true,
    created_at  timestamptz          NOT NULL DEFAULT now(),
    updated_at  timestamptz          NOT NULL DEFAULT now(),
    created_by  uuid,
    updated_by  uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, location_id) REFERENCES relygate.locations (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES relygate.users (tenant_id, id)
);
CREATE INDEX hosts_list ON relygate.hosts (tenant_id, first_name, id);
CREATE INDEX hosts_location ON relygate.hosts (tenant_id, location_id) WHERE location_id IS NOT NULL;
CREATE INDEX hosts_user ON relygate.hosts (tenant_id, user_id) WHERE user_id IS NOT NULL;
COMMENT ON TABLE relygate.hosts IS 'People who receive visitors.';
COMMENT ON COLUMN relygate.hosts.location_id IS 'The unit where the host lives or works.';
COMMENT ON COLUMN relygate.hosts.search_name IS 'The whole name, folded for search; written by the trigger.';

-- What planner estimates tell of a personal column, they tell every tenant.
ALTER TABLE relygate.hosts
    ALTER COLUMN first_name SET STATISTICS 0, ALTER COLUMN last_name SET STATISTICS 0, ALTER COLUMN mobile SET STATISTICS 0,
    ALTER COLUMN email SET STATISTICS 0, ALTER COLUMN search_name SET STATISTICS 0;

ALTER TABLE relygate.hosts OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.hosts TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.hosts
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('first_name=person_name', 'last_name=person_name', 'mobile=mobile',
        'email=email', 'search_name=fold:first_name,last_name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.hosts FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.hosts FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.hosts');

COMMIT;
