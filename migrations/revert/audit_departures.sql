-- Revert relygate:audit_departures from pg

BEGIN;
DROP INDEX relygate.visits_stays_30m, relygate.visits_stays_2h, relygate.visits_stays_8h, relygate.visits_stays_48h, relygate.visits_stays_long;
DROP TRIGGER departures ON relygate.visits;
DROP TABLE relygate.visit_departures;
COMMIT;
