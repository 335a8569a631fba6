-- Deploy relygate:visits to pg
-- requires: visitors sites gates hosts purposes
--
-- One entry of one visitor at one site. Two gates can each see no open visit in their snapshots; visits_open decides, which is
-- why the table is not partitioned. The state's trigger sets times and actors and refuses what no transition leads to.

BEGIN;

CREATE TABLE relygate.visits (
    tenant_id      uuid                 NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id             uuid                 NOT NULL DEFAULT relygate.uuid_v7(),
    site_id        uuid                 NOT NULL,
    visitor_id     uuid                 NOT NULL,
    state          relygate.visit_state NOT NULL,
    requested_at   timestamptz          NOT NULL DEFAULT now(),
    checked_in_at  timestamptz,
    checked_out_at timestamptz,
    checked_in_by  uuid,
    checked_out_by uuid,
    purpose_id     uuid,
    purpose        relygate.label,
    host_id        uuid,
    unit_id        uuid,
    group_size     relygate.group_size  NOT NULL DEFAULT 1,
    gate_in_id     uuid,
    gate_out_id    uuid,
    vehicle_no     relygate.vehicle_number,
    badge_no       text                 COLLATE "C" CONSTRAINT visits_badge_no CHECK (length(badge_no) BETWEEN 1 AND 20),
    badge_day      date,
    remark         relygate.remark,
    is_forced      boolean              NOT NULL DEFAULT false,
    is_automatic   boolean              NOT NULL DEFAULT false,
    created_at     timestamptz          NOT NULL DEFAULT now(),
    updated_at     timestamptz          NOT NULL DEFAULT now(),
    created_by     uuid,
    updated_by     uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES relygate.sites (tenant_id, id),
    FOREIGN KEY (tenant_id, visitor_id) REFERENCES relygate.visitors (tenant_id, id),
    FOREIGN KEY (tenant_id, purpose_id) REFERENCES relygate.purposes (tenant_id, id),
    FOREIGN KEY (tenant_id, host_id) REFERENCES relygate.hosts (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES relygate.locations (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id, gate_in_id) REFERENCES relygate.gates (tenant_id, site_id, id),
    FOREIGN KEY (tenant_id, site_id, gate_out_id) REFERENCES relygate.gates (tenant_id, site_id, id),
    CONSTRAINT visits_checked_in CHECK ((state IN ('checked_in', 'checked_out')) = (checked_in_at IS NOT NULL)),
    CONSTRAINT visits_checked_out CHECK ((state = 'checked_out') = (checked_out_at IS NOT NULL)),
    CONSTRAINT visits_order CHECK (checked_out_at >= checked_in_at),
    CONSTRAINT visits_one_purpose CHECK (num_nonnulls(purpose_id, purpose) <= 1),
    CONSTRAINT visits_badge CHECK ((badge_no IS NULL) = (badge_day IS NULL))
);
CREATE UNIQUE INDEX visits_open ON relygate.visits (tenant_id, visitor_id) WHERE state IN ('pending', 'checked_in');
CREATE UNIQUE INDEX visits_badge_once ON relygate.visits (tenant_id, site_id, badge_day, badge_no) WHERE badge_no IS NOT NULL;
CREATE INDEX visits_inside ON relygate.visits (tenant_id, site_id) INCLUDE (group_size) WHERE state = 'checked_in';
CREATE INDEX visits_list ON relygate.visits (tenant_id, requested_at DESC, id DESC);
CREATE INDEX visits_state ON relygate.visits (tenant_id, state, requested_at DESC, id DESC) WHERE state <> 'checked_out';
CREATE INDEX visits_site ON relygate.visits (tenant_id, site_id, requested_at DESC, id DESC);
CREATE INDEX visits_visitor ON relygate.visits (tenant_id, visitor_id, requested_at DESC, id DESC);
CREATE INDEX visits_host ON relygate.visits (tenant_id, host_id, requested_at DESC, id DESC) WHERE host_id IS NOT NULL;
CREATE INDEX visits_unit ON relygate.visits (tenant_id, unit_id, requested_at DESC, id DESC) WHERE unit_id IS NOT NULL;
CREATE INDEX visits_purpose ON relygate.visits (tenant_id, purpose_id, requested_at DESC, id DESC) WHERE purpose_id IS NOT NULL;
CREATE INDEX visits_gate_in ON relygate.visits (tenant_id, gate_in_id, requested_at DESC, id DESC) WHERE gate_in_id IS NOT NULL;
CREATE INDEX visits_gate_out ON relygate.visits (tenant_id, gate_out_id, requested_at DESC, id DESC) WHERE gate_out_id IS NOT NULL;
CREATE INDEX visits_vehicle ON relygate.visits (tenant_id, vehicle_no, requested_at DESC, id DESC) WHERE vehicle_no IS NOT NULL;
CREATE INDEX visits_check_ins ON relygate.visits (tenant_id, checked_in_at) WHERE checked_in_at IS NOT NULL;
CREATE INDEX visits_check_outs ON relygate.visits (tenant_id, checked_out_at) WHERE checked_out_at IS NOT NULL;
COMMENT ON TABLE relygate.visits IS 'Entries of visitors at sites.';
COMMENT ON COLUMN relygate.visits.purpose IS 'Free text, where the purpose is none of the list (purpose_id).';
COMMENT ON COLUMN relygate.visits.unit_id IS 'Where the visitor goes.';
COMMENT ON COLUMN relygate.visits.group_size IS 'How many people are with this visit, the visitor among them; it falls when some of them leave.';
COMMENT ON COLUMN relygate.visits.badge_day IS 'The site''s day on which the badge number was given; the number is unique in it.';
COMMENT ON COLUMN relygate.visits.is_forced IS 'Checked out although nobody saw the visitor leave.';
COMMENT ON COLUMN relygate.visits.is_automatic IS 'Checked out by the system at the end of the day.';

-- What planner estimates tell of a personal column, they tell every tenant.
ALTER TABLE relygate.visits
    ALTER COLUMN purpose SET STATISTICS 0, ALTER COLUMN vehicle_no SET STATISTICS 0, ALTER COLUMN badge_no SET STATISTICS 0,
    ALTER COLUMN remark SET STATISTICS 0;

ALTER TABLE relygate.visits OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.visits TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.visits
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('purpose=label', 'vehicle_no=vehicle_number', 'remark=remark');
-- No WHEN: OLD.state <> NEW.state would let a second check-out pass.
CREATE TRIGGER state BEFORE INSERT OR UPDATE OF state ON relygate.visits
    FOR EACH ROW EXECUTE FUNCTION relygate.visit_state_change();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.visits FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.visits FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.visits');

COMMIT;
