-- Deploy relygate:guard to pg
-- requires: grants
--
-- Refuses what would open a protected table. Ordinary objects, not members of the extension: so a dump restores them last,
-- when tables and policies are there. Needs a superuser, as every event trigger.

BEGIN;
CREATE EVENT TRIGGER relygate_guard_ddl ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER POLICY', 'CREATE POLICY', 'CREATE TRIGGER', 'ALTER TRIGGER')
    EXECUTE FUNCTION relygate.guard_ddl();
COMMENT ON EVENT TRIGGER relygate_guard_ddl IS 'Refuses what would open a protected table.';
CREATE EVENT TRIGGER relygate_guard_drop ON sql_drop EXECUTE FUNCTION relygate.guard_drop();
COMMENT ON EVENT TRIGGER relygate_guard_drop IS 'Refuses to drop what protects a table.';
COMMIT;
