-- Revert relygate:audit_guard from pg

BEGIN;
DROP EVENT TRIGGER relygate_guard_audit_ddl;
DROP EVENT TRIGGER relygate_guard_audit_drop;
REVOKE ALL ON FUNCTION relygate.audit_defects(), relygate.rearm_audit(oid[]) FROM relygate_audit;
COMMIT;
