-- Revert relygate:users from pg

BEGIN;

DROP TABLE relygate.users;

COMMIT;
