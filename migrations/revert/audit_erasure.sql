-- Revert relygate:audit_erasure from pg

BEGIN;
DROP FUNCTION relygate.erase_person(uuid, text);
REVOKE ALL ON FUNCTION relygate.random_bytes(int) FROM relygate_audit;
COMMIT;
