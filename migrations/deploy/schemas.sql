-- Deploy relygate:schemas to pg
-- requires: roles
--
-- relygate is the extension's: functions and every tenant table. relygate_report holds the views for reporting tools,
-- relygate_global the few tables without a tenant.

BEGIN;

CREATE SCHEMA relygate_report;
COMMENT ON SCHEMA relygate_report IS 'Views for reporting tools; a login that is bound to a tenant sees that tenant''s rows.';
GRANT USAGE ON SCHEMA relygate_report TO relygate_owner, relygate_reporting, relygate_api;

CREATE SCHEMA relygate_global;
COMMENT ON SCHEMA relygate_global IS 'Tables of the installation, without a tenant.';
GRANT USAGE ON SCHEMA relygate_global TO relygate_owner, relygate_api, relygate_platform;

COMMIT;
