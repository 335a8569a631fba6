-- Verify relygate:reporting on pg

BEGIN;

SELECT visit_id, visitor_id, state, site_id, requested_at, requested_on, checked_in_on, checked_out_on, duration_minutes
  FROM relygate_report.visits WHERE false;
SELECT site_id, capacity, inside, open_visits, free_places FROM relygate_report.occupancy WHERE false;
SELECT visitor_id, visitor_type, first_name, last_name, mobile FROM relygate_report.visitors WHERE false;
SELECT audit_id, occurred_at, user_id, table_name, row_id, action, changes FROM relygate_report.audit WHERE false;
DO $$ BEGIN
    ASSERT (SELECT bool_and(coalesce('security_invoker=true' = ANY (reloptions), false)) FROM pg_class
             WHERE relnamespace = 'relygate_report'::regnamespace AND relkind = 'v'), 'a view runs with its owner''s rights';
    ASSERT NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                        WHERE c.relnamespace = 'relygate_report'::regnamespace AND c.relkind = 'v' AND a.attnum > 0
                          AND col_description(c.oid, a.attnum) IS NULL), 'a column is not described';
    ASSERT (SELECT bool_and(has_table_privilege('relygate_reporting', oid, 'SELECT')) FROM pg_class
             WHERE relnamespace = 'relygate_report'::regnamespace AND relkind = 'v'), 'relygate_reporting cannot read a view';
END $$;

ROLLBACK;
