-- Revert relygate:reporting from pg

BEGIN;

DROP VIEW relygate_report.audit;
DROP VIEW relygate_report.visitors;
DROP VIEW relygate_report.occupancy;
DROP VIEW relygate_report.visits;
REVOKE ALL ON ALL TABLES IN SCHEMA relygate FROM relygate_reporting;

COMMIT;
