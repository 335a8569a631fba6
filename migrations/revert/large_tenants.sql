-- Revert relygate:large_tenants from pg

BEGIN;

DROP INDEX relygate.visits_site_state, relygate.visitors_deleted;

DO $$
DECLARE
    bound record;
BEGIN
    FOR bound IN SELECT r.rolname FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase
                  WHERE d.datname = current_database() AND EXISTS (SELECT FROM unnest(s.setconfig) AS c (setting) WHERE c.setting LIKE 'app.tenant\_id=%') LOOP
        EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET enable_seqscan', bound.rolname, current_database());
        EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET jit', bound.rolname, current_database());
    END LOOP;
END $$;

COMMIT;
