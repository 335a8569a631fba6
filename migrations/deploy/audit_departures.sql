-- Deploy relygate:audit_departures to pg
-- requires: visits
-- extension: 1.1.0
--
-- What relygate.occupancy_at() stands on. group_size of a visit falls when some of a group leave: what it was before, a row here
-- keeps, from the check-in until they left. It repeats the audit log, which no index could be asked for it, so it is not audited.

BEGIN;

CREATE TABLE relygate.visit_departures (
    tenant_id     uuid        NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id            uuid        NOT NULL DEFAULT relygate.uuid_v7(),
    visit_id      uuid        NOT NULL,
    site_id       uuid        NOT NULL,
    checked_in_at timestamptz NOT NULL,
    left_at       timestamptz NOT NULL,
    people        int         NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, visit_id) REFERENCES relygate.visits (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, site_id) REFERENCES relygate.sites (tenant_id, id)
);
CREATE INDEX visit_departures_visit ON relygate.visit_departures (tenant_id, visit_id);
CREATE INDEX visit_departures_short ON relygate.visit_departures (tenant_id, site_id, checked_in_at) INCLUDE (left_at, people)
    WHERE left_at - checked_in_at <= '08:00:00'::interval;
CREATE INDEX visit_departures_long ON relygate.visit_departures (tenant_id, site_id, left_at) INCLUDE (checked_in_at, people)
    WHERE left_at - checked_in_at > '08:00:00'::interval;
COMMENT ON TABLE relygate.visit_departures IS 'People of a group who left before their visit ended.';
COMMENT ON COLUMN relygate.visit_departures.checked_in_at IS 'That of the visit.';
COMMENT ON COLUMN relygate.visit_departures.people IS 'How many left; negative: how many joined.';
ALTER TABLE relygate.visit_departures OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.visit_departures TO relygate_api;
GRANT SELECT ON relygate.visit_departures TO relygate_reporting;

-- What happened before this table was there, the audit log tells.
INSERT INTO relygate.visit_departures (tenant_id, visit_id, site_id, checked_in_at, left_at, people)
SELECT v.tenant_id, v.id, v.site_id, v.checked_in_at, a.occurred_at,
       (a.changes #>> '{group_size,before}')::int - (a.changes #>> '{group_size,after}')::int
  FROM relygate.audit_log a JOIN relygate.visits v ON v.tenant_id = a.tenant_id AND v.id = a.row_id
 WHERE a.table_name = 'visits' AND a.action = 'update' AND a.changes::text LIKE '%"group_size":{"before":%'
   AND v.checked_in_at <= a.occurred_at AND (v.checked_out_at IS NULL OR v.checked_out_at >= a.occurred_at);

SELECT relygate.protect_table('relygate.visit_departures');
CREATE TRIGGER departures AFTER UPDATE OF group_size, site_id, checked_in_at ON relygate.visits
    FOR EACH ROW EXECUTE FUNCTION relygate.note_departure();

-- Ended visits by the length of the stay; each is in one of them.
CREATE INDEX visits_stays_30m ON relygate.visits (tenant_id, site_id, checked_in_at) INCLUDE (checked_out_at, group_size)
    WHERE checked_out_at - checked_in_at <= '00:30:00'::interval;
CREATE INDEX visits_stays_2h ON relygate.visits (tenant_id, site_id, checked_in_at) INCLUDE (checked_out_at, group_size)
    WHERE checked_out_at - checked_in_at > '00:30:00'::interval AND checked_out_at - checked_in_at <= '02:00:00'::interval;
CREATE INDEX visits_stays_8h ON relygate.visits (tenant_id, site_id, checked_in_at) INCLUDE (checked_out_at, group_size)
    WHERE checked_out_at - checked_in_at > '02:00:00'::interval AND checked_out_at - checked_in_at <= '08:00:00'::interval;
CREATE INDEX visits_stays_48h ON relygate.visits (tenant_id, site_id, checked_in_at) INCLUDE (checked_out_at, group_size)
    WHERE checked_out_at - checked_in_at > '08:00:00'::interval AND checked_out_at - checked_in_at <= '48:00:00'::interval;
-- Of the few longest the end comes first: most of them were over before an instant that is asked for.
CREATE INDEX visits_stays_long ON relygate.visits (tenant_id, site_id, checked_out_at) INCLUDE (checked_in_at, group_size)
    WHERE checked_out_at - checked_in_at > '48:00:00'::interval;

COMMIT;
