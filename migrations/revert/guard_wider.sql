-- Revert relygate:guard_wider from pg

BEGIN;
DROP EVENT TRIGGER relygate_guard_ddl;
CREATE EVENT TRIGGER relygate_guard_ddl ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER POLICY', 'CREATE POLICY', 'CREATE TRIGGER', 'ALTER TRIGGER')
    EXECUTE FUNCTION relygate.guard_ddl();
COMMENT ON EVENT TRIGGER relygate_guard_ddl IS 'Refuses what would open a protected table.';
COMMIT;
