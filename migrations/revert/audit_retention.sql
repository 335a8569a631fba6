-- Revert relygate:audit_retention from pg

BEGIN;
DROP FUNCTION relygate.drop_audit_month(text);
COMMIT;
