-- Revert relygate:sessions from pg

BEGIN;

DROP TABLE relygate.sessions;

COMMIT;
