-- Deploy relygate:list_sorts to pg
-- requires: visits
-- extension: 1.1.0
--
-- What lists can be sorted by beside their first order. An index read backwards gives the same order descending; the id makes it
-- total, so that a cursor goes on from any row. Who has not come in or left yet is the latest: the expression is that of
-- list_visits, a CASE because under row-level security COALESCE is no index condition.

BEGIN;

CREATE INDEX visits_by_check_in ON relygate.visits
    (tenant_id, (CASE WHEN checked_in_at IS NULL THEN 'infinity' ELSE checked_in_at END), id);
CREATE INDEX visits_by_check_out ON relygate.visits
    (tenant_id, (CASE WHEN checked_out_at IS NULL THEN 'infinity' ELSE checked_out_at END), id);
CREATE INDEX visitors_by_name ON relygate.visitors (tenant_id, search_name, id);
CREATE INDEX visitors_by_creation ON relygate.visitors (tenant_id, created_at, id);
CREATE INDEX hosts_by_name ON relygate.hosts (tenant_id, search_name, id);
CREATE INDEX hosts_by_creation ON relygate.hosts (tenant_id, created_at, id);
CREATE INDEX locations_by_creation ON relygate.locations (tenant_id, created_at, id);
CREATE INDEX users_by_creation ON relygate.users (tenant_id, created_at, id);
CREATE INDEX gates_by_name ON relygate.gates (tenant_id, name, id);
CREATE INDEX gates_by_creation ON relygate.gates (tenant_id, created_at, id);
CREATE INDEX sites_by_name ON relygate.sites (tenant_id, name, id);
CREATE INDEX sites_by_creation ON relygate.sites (tenant_id, created_at, id);

COMMIT;
