-- Verify relygate:audit_departures on pg

BEGIN;
SELECT tenant_id, id, visit_id, site_id, checked_in_at, left_at, people FROM relygate.visit_departures WHERE false;
DO $$ BEGIN
    ASSERT (SELECT count(*) = 5 FROM pg_class WHERE relnamespace = 'relygate'::regnamespace AND relname LIKE 'visits\_stays\_%'), 'an index of stays is missing';
    ASSERT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'relygate.visits'::regclass AND tgname = 'departures'), 'departures are not noted';
END $$;
ROLLBACK;
