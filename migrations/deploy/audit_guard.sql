-- Deploy relygate:audit_guard to pg
-- requires: audit_seals audit_erasure
-- extension: 1.1.0
--
-- Refuses what would open or unseal the audit, to a superuser as well. As those of guard: no members of the extension, so a dump
-- restores them last. They are named so that they run before relygate_guard_ddl, which would refuse triggers that are just being
-- armed again.

BEGIN;
-- make_audit_partitions() and drop_audit_month() meet the guard as relygate_audit.
GRANT EXECUTE ON FUNCTION relygate.audit_defects(), relygate.rearm_audit(oid[]) TO relygate_audit;
CREATE EVENT TRIGGER relygate_guard_audit_ddl ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER POLICY', 'CREATE POLICY', 'CREATE TRIGGER', 'ALTER TRIGGER', 'CREATE RULE', 'GRANT')
    EXECUTE FUNCTION relygate.guard_audit_ddl();
COMMENT ON EVENT TRIGGER relygate_guard_audit_ddl IS 'Refuses what would open the audit.';
CREATE EVENT TRIGGER relygate_guard_audit_drop ON sql_drop EXECUTE FUNCTION relygate.guard_audit_drop();
COMMENT ON EVENT TRIGGER relygate_guard_audit_drop IS 'Refuses to drop a part of the audit.';
-- Else session_replication_role = replica would be a way around.
ALTER EVENT TRIGGER relygate_guard_audit_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER relygate_guard_audit_drop ENABLE ALWAYS;
COMMIT;
