-- Deploy relygate:grants to pg
--
-- Who may call which function of the extension. Run relygate.grant_functions() again after each ALTER EXTENSION ... UPDATE.

BEGIN;
SELECT relygate.grant_functions();
COMMIT;
