-- Deploy relygate:guard_wider to pg
-- requires: guard
--
-- The guard looks at more commands: new indexes (keys without the tenant tell what another tenant has), rules (they rewrite a
-- statement before the policies see it) and new tables (a child can be read past its parent's policies).

BEGIN;
DROP EVENT TRIGGER relygate_guard_ddl;
CREATE EVENT TRIGGER relygate_guard_ddl ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER POLICY', 'CREATE POLICY', 'CREATE TRIGGER', 'ALTER TRIGGER', 'CREATE INDEX', 'CREATE RULE', 'CREATE TABLE')
    EXECUTE FUNCTION relygate.guard_ddl();
COMMENT ON EVENT TRIGGER relygate_guard_ddl IS 'Refuses what would open a protected table.';
COMMIT;
