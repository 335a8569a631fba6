-- Deploy relygate:reporting_people to pg
-- requires: reporting audit_departures
-- extension: 1.1.0
--
-- How many people came with a visit. group_size falls when some of a group leave before the others, so at the end it says how many
-- left last; those before them are in visit_departures. The sum is made only where a query asks for the column.

BEGIN;

CREATE OR REPLACE VIEW relygate_report.visits WITH (security_invoker) AS
SELECT v.id AS visit_id, v.visitor_id, v.state::text AS state,
       v.site_id, s.name::text AS site_name, coalesce(s.time_zone, t.time_zone)::text AS time_zone,
       p.visitor_type::text AS visitor_type, p.first_name::text AS visitor_first_name, p.last_name::text AS visitor_last_name,
       p.mobile::text AS visitor_mobile, c.name::text AS category,
       coalesce(v.purpose, w.name)::text AS purpose, v.purpose_id, v.host_id, h.first_name::text AS host_first_name,
       h.last_name::text AS host_last_name, v.unit_id, u.name::text AS unit_name, v.group_size::int AS group_size,
       v.requested_at, v.checked_in_at, v.checked_out_at,
       (v.requested_at AT TIME ZONE coalesce(s.time_zone, t.time_zone)::text)::date AS requested_on,
       (v.checked_in_at AT TIME ZONE coalesce(s.time_zone, t.time_zone)::text)::date AS checked_in_on,
       (v.checked_out_at AT TIME ZONE coalesce(s.time_zone, t.time_zone)::text)::date AS checked_out_on,
       round(extract(epoch FROM v.checked_out_at - v.checked_in_at) / 60, 1) AS duration_minutes,
       v.gate_in_id, gi.name::text AS gate_in_name, v.gate_out_id, go.name::text AS gate_out_name,
       v.checked_in_by, v.checked_out_by, v.vehicle_no::text AS vehicle_no, v.badge_no, v.remark::text AS remark,
       v.is_forced, v.is_automatic,
       (v.group_size + coalesce((SELECT sum(d.people) FROM relygate.visit_departures d
                                  WHERE d.tenant_id = v.tenant_id AND d.visit_id = v.id AND d.people > 0), 0))::int AS people
  FROM relygate.visits v
  JOIN relygate.sites s ON s.tenant_id = v.tenant_id AND s.id = v.site_id
  JOIN relygate.tenants t ON t.id = v.tenant_id
  LEFT JOIN relygate.visitors p ON p.tenant_id = v.tenant_id AND p.id = v.visitor_id
  LEFT JOIN relygate.visitor_categories c ON c.tenant_id = p.tenant_id AND c.id = p.category_id
  LEFT JOIN relygate.purposes w ON w.tenant_id = v.tenant_id AND w.id = v.purpose_id
  LEFT JOIN relygate.hosts h ON h.tenant_id = v.tenant_id AND h.id = v.host_id
  LEFT JOIN relygate.locations u ON u.tenant_id = v.tenant_id AND u.id = v.unit_id
  LEFT JOIN relygate.gates gi ON gi.tenant_id = v.tenant_id AND gi.id = v.gate_in_id
  LEFT JOIN relygate.gates go ON go.tenant_id = v.tenant_id AND go.id = v.gate_out_id;

COMMENT ON COLUMN relygate_report.visits.group_size IS
'How many people are with the visit now, the visitor among them; of one that is over: how many left last. All who came: people.';
COMMENT ON COLUMN relygate_report.visits.people IS 'How many people came with the visit in all, also those who left before the others.';

COMMIT;
