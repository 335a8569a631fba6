-- Revert relygate:gates from pg

BEGIN;

DROP TABLE relygate.gates;

COMMIT;
