-- Revert relygate:audit_log from pg

BEGIN;

DROP FUNCTION relygate.make_audit_partitions(int);
DROP TABLE relygate.audit_log;
REVOKE ALL ON FUNCTION relygate.refuse_audit_change(), relygate.current_tenant(), relygate.uuid_v7() FROM relygate_audit;
REVOKE CREATE ON SCHEMA relygate FROM relygate_audit;

COMMIT;
