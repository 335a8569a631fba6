-- Deploy relygate:reporting to pg
-- requires: visits audit_log
--
-- What reporting tools read: stable names, a login bound to a tenant needs no SET. The views run with the reader's rights
-- (security_invoker), so the policies of the tables hold; relygate_reporting has the columns that the views need, no more.
-- No secrets: no password, no document hash, no security code.

BEGIN;

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

CREATE VIEW relygate_report.occupancy WITH (security_invoker) AS
SELECT s.id AS site_id, s.name::text AS site_name, s.capacity, coalesce(o.inside, 0)::int AS inside,
       coalesce(o.open_visits, 0)::int AS open_visits, (s.capacity - coalesce(o.inside, 0))::int AS free_places, s.is_active
  FROM relygate.sites s
  LEFT JOIN (SELECT v.tenant_id, v.site_id, sum(v.group_size) AS inside, count(*) AS open_visits
               FROM relygate.visits v WHERE v.state = 'checked_in' GROUP BY v.tenant_id, v.site_id) o
         ON o.tenant_id = s.tenant_id AND o.site_id = s.id;
COMMENT ON VIEW relygate_report.occupancy IS 'How many people are inside each site at this moment.';

CREATE VIEW relygate_report.visitors WITH (security_invoker) AS
SELECT p.id AS visitor_id, p.visitor_type::text AS visitor_type, p.first_name::text AS first_name, p.last_name::text AS last_name,
       p.mobile::text AS mobile, p.email::text AS email, p.category_id, c.name::text AS category,
       p.document_type::text AS document_type, p.document_masked, p.vehicle_no::text AS vehicle_no, p.unit_id,
       u.name::text AS unit_name, p.registration_no, p.valid_from, p.valid_until, p.is_active, p.created_at, p.updated_at
  FROM relygate.visitors p
  LEFT JOIN relygate.visitor_categories c ON c.tenant_id = p.tenant_id AND c.id = p.category_id
  LEFT JOIN relygate.locations u ON u.tenant_id = p.tenant_id AND u.id = p.unit_id;
COMMENT ON VIEW relygate_report.visitors IS 'One row a person known to the tenant.';

CREATE VIEW relygate_report.audit WITH (security_invoker) AS
SELECT a.id AS audit_id, a.occurred_at, a.user_id, u.user_name::text AS user_name, a.user_role, a.database_role, a.request_id,
       a.client_address, a.table_name, a.row_id, a.action, a.changes::jsonb AS changes
  FROM relygate.audit_log a
  LEFT JOIN relygate.users u ON u.tenant_id = a.tenant_id AND u.id = a.user_id;
COMMENT ON VIEW relygate_report.audit IS 'One row a change of a row: who, when, from where, what.';

DO $$
DECLARE
    described CONSTANT jsonb := '{
        "visits": {"visit_id": "The visit.", "visitor_id": "Who came; see visitors.",
            "state": "pending, checked_in, checked_out, refused, cancelled or expired.",
            "site_id": "Where.", "site_name": "The site''s name.", "time_zone": "The IANA zone whose days count at the site.",
            "visitor_type": "registered or unregistered.", "visitor_first_name": "The visitor''s first name.",
            "visitor_last_name": "The visitor''s last name.", "visitor_mobile": "The visitor''s mobile, E.164.",
            "category": "The visitor''s category.", "purpose": "The purpose of the list, or the free text.",
            "purpose_id": "The purpose of the list; null for free text.", "host_id": "Who is visited.",
            "host_first_name": "The host''s first name.", "host_last_name": "The host''s last name.",
            "unit_id": "The unit that is visited.", "unit_name": "The unit''s name.",
            "group_size": "How many people are with the visit, the visitor among them.",
            "requested_at": "When the visit was asked for; never null.", "checked_in_at": "When it came in; null before.",
            "checked_out_at": "When it left; null before.", "requested_on": "The site''s day of requested_at.",
            "checked_in_on": "The site''s day of checked_in_at.", "checked_out_on": "The site''s day of checked_out_at.",
            "duration_minutes": "From check-in to check-out; null while it is not over.",
            "gate_in_id": "The gate of the check-in.", "gate_in_name": "Its name.",
            "gate_out_id": "The gate of the check-out.", "gate_out_name": "Its name.",
            "checked_in_by": "The user who let the visit in.", "checked_out_by": "The user who let it out.",
            "vehicle_no": "The vehicle''s registration mark.", "badge_no": "The number of the badge, unique in a site''s day.",
            "remark": "What the guard noted.", "is_forced": "Checked out although nobody saw the visitor leave.",
            "is_automatic": "Checked out by the system."},
        "occupancy": {"site_id": "The site.", "site_name": "Its name.", "capacity": "How many may be inside; null: no limit.",
            "inside": "People inside now; groups count whole.", "open_visits": "Visits they came in.",
            "free_places": "Places left; null without a capacity.", "is_active": "Whether the site is in use."},
        "visitors": {"visitor_id": "The person.", "visitor_type": "registered or unregistered.", "first_name": "First name.",
            "last_name": "Last name.", "mobile": "Mobile, E.164.", "email": "E-mail address.", "category_id": "The category.",
            "category": "The category''s name.", "document_type": "Kind of identity document.",
            "document_masked": "All that is known of its number.", "vehicle_no": "The vehicle''s registration mark.",
            "unit_id": "The unit the person belongs to.", "unit_name": "The unit''s name.",
            "registration_no": "The number of a registered visitor.", "valid_from": "First day on which the person may come in.",
            "valid_until": "Last such day.", "is_active": "False: deleted.", "created_at": "When first known.",
            "updated_at": "When last changed."},
        "audit": {"audit_id": "The record.", "occurred_at": "When.", "user_id": "The user of the request; null: a DBA.",
            "user_name": "The user''s name.", "user_role": "The role the user had then.",
            "database_role": "The login of the database session.", "request_id": "The request, as in X-Request-Id.",
            "client_address": "Where the request came from.", "table_name": "The table.", "row_id": "The row (its id).",
            "action": "insert, update or delete.",
            "changes": "Changed columns, each with before and after; secrets never; null: erased."}}';
    view text;
    its_columns jsonb;
    name text;
    meaning text;
BEGIN
    FOR view, its_columns IN SELECT * FROM jsonb_each(described) LOOP
        EXECUTE format('ALTER VIEW relygate_report.%I OWNER TO relygate_owner', view);
        EXECUTE format('REVOKE ALL ON relygate_report.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT ON relygate_report.%I TO relygate_reporting, relygate_api', view);
        FOR name, meaning IN SELECT * FROM jsonb_each_text(its_columns) LOOP
            EXECUTE format('COMMENT ON COLUMN relygate_report.%I.%I IS %L', view, name, meaning);
        END LOOP;
    END LOOP;
END $$;

GRANT SELECT (tenant_id, id, site_id, visitor_id, state, requested_at, checked_in_at, checked_out_at, checked_in_by, checked_out_by,
              purpose_id, purpose, host_id, unit_id, group_size, gate_in_id, gate_out_id, vehicle_no, badge_no, remark, is_forced,
              is_automatic) ON relygate.visits TO relygate_reporting;
GRANT SELECT (tenant_id, id, visitor_type, first_name, last_name, mobile, email, category_id, document_type, document_masked,
              vehicle_no, unit_id, registration_no, valid_from, valid_until, is_active, created_at, updated_at)
   ON relygate.visitors TO relygate_reporting;
GRANT SELECT (id, time_zone) ON relygate.tenants TO relygate_reporting;
GRANT SELECT (tenant_id, id, name, time_zone, capacity, is_active) ON relygate.sites TO relygate_reporting;
GRANT SELECT (tenant_id, id, name) ON relygate.visitor_categories, relygate.purposes, relygate.locations, relygate.gates
   TO relygate_reporting;
GRANT SELECT (tenant_id, id, first_name, last_name) ON relygate.hosts TO relygate_reporting;
GRANT SELECT (tenant_id, id, user_name) ON relygate.users TO relygate_reporting;
GRANT SELECT (tenant_id, id, occurred_at, user_id, user_role, database_role, request_id, client_address, table_name, row_id, action,
              changes) ON relygate.audit_log TO relygate_reporting;

COMMIT;
