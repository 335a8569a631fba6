-- Verify relygate:reporting_people on pg

BEGIN;

SELECT people FROM relygate_report.visits WHERE false;
DO $$ BEGIN
    ASSERT (SELECT 'security_invoker=true' = ANY (reloptions) FROM pg_class WHERE oid = 'relygate_report.visits'::regclass), 'the view runs with its owner''s rights';
    ASSERT (SELECT col_description(attrelid, attnum) IS NOT NULL FROM pg_attribute
             WHERE attrelid = 'relygate_report.visits'::regclass AND attname = 'people'), 'the column is not described';
    ASSERT has_table_privilege('relygate_reporting', 'relygate.visit_departures', 'SELECT'), 'relygate_reporting cannot count who left before';
END $$;

ROLLBACK;
