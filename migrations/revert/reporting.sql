-- Revert relygate:reporting from pg

BEGIN;

DROP VIEW relygate_report.audit;
DROP VIEW relygate_report.visitors;
DROP VIEW relygate_report.occupancy;
DROP VIEW relygate_report.visits;
REVOKE ALL ON ALL TABLES IN SCHEMA relygate FROM relygate_reporting;
REVOKE ALL ON FUNCTION relygate.current_tenant() FROM relygate_reporting;
REVOKE ALL ON SCHEMA relygate, relygate_report FROM relygate_reporting;
REVOKE ALL ON SCHEMA relygate_report FROM relygate_api;

COMMIT;
