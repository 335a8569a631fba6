-- Revert relygate:reporting_people from pg
-- A column goes only with its view; rights and descriptions are those of the change reporting.

BEGIN;

CREATE TEMP TABLE described ON COMMIT DROP AS
SELECT a.attname, col_description(a.attrelid, a.attnum) AS meaning
  FROM pg_attribute a WHERE a.attrelid = 'relygate_report.visits'::regclass AND a.attnum > 0 AND a.attname <> 'people';
DROP VIEW relygate_report.visits;
CREATE VIEW relygate_report.visits WITH (security_invoker) AS
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
       v.is_forced, v.is_automatic
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
COMMENT ON VIEW relygate_report.visits IS 'One row a visit. A day (..._on) is the site''s.';
ALTER VIEW relygate_report.visits OWNER TO relygate_owner;
REVOKE ALL ON relygate_report.visits FROM PUBLIC;
GRANT SELECT ON relygate_report.visits TO relygate_reporting, relygate_api;
DO $$
DECLARE
    name text;
    meaning text;
BEGIN
    FOR name, meaning IN SELECT d.attname, d.meaning FROM described d LOOP
        EXECUTE format('COMMENT ON COLUMN relygate_report.visits.%I IS %L', name, meaning);
    END LOOP;
END $$;
COMMENT ON COLUMN relygate_report.visits.group_size IS 'How many people are with the visit, the visitor among them.';

COMMIT;
