-- Revert relygate:routes from pg

BEGIN;

DROP VIEW relygate.routes;
DROP TABLE relygate_global.routes;
REVOKE SELECT ON relygate.product_routes FROM relygate_api;

COMMIT;
