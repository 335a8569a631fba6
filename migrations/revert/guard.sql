-- Revert relygate:guard from pg

BEGIN;
DROP EVENT TRIGGER relygate_guard_ddl;
DROP EVENT TRIGGER relygate_guard_drop;
COMMIT;
