-- Revert relygate:list_sorts from pg

BEGIN;

DROP INDEX relygate.visits_by_check_in, relygate.visits_by_check_out, relygate.visitors_by_name, relygate.visitors_by_creation,
    relygate.hosts_by_name, relygate.hosts_by_creation, relygate.locations_by_creation, relygate.users_by_creation,
    relygate.gates_by_name, relygate.gates_by_creation, relygate.sites_by_name, relygate.sites_by_creation;

COMMIT;
