-- Deploy relygate:large_tenants to pg
-- requires: list_sorts reporting
-- extension: 1.1.0
--
-- What a tenant of millions needs: the visits of a site in a state, since its ended ones are so many that the others were looked for
-- among all of them; the deleted visitors, who are few. Both leave out what most rows are. And logins bound before get what
-- bind_role() sets now.

BEGIN;

CREATE INDEX visits_site_state ON relygate.visits (tenant_id, site_id, state, requested_at DESC, id DESC) WHERE state <> 'checked_out';
CREATE INDEX visitors_deleted ON relygate.visitors (tenant_id, created_at, id) WHERE NOT is_active;

DO $$
DECLARE
    bound record;
BEGIN
    FOR bound IN SELECT r.rolname FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase
                  WHERE d.datname = current_database() AND EXISTS (SELECT FROM unnest(s.setconfig) AS c (setting) WHERE c.setting LIKE 'app.tenant\_id=%') LOOP
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET enable_seqscan = off', bound.rolname, current_database());
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET jit = off', bound.rolname, current_database());
    END LOOP;
END $$;

COMMIT;
