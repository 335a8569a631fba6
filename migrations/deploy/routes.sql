-- Deploy relygate:routes to pg
-- requires: schemas
--
-- Routes that a DBA adds beside the product's. No tenant_argument: only the product may turn the context. A row needs a
-- function in schema relygate that relygate_api may execute; shims and backends learn of a change when it commits.

BEGIN;

CREATE TABLE relygate_global.routes (
    LIKE relygate.product_routes INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS,
    PRIMARY KEY (method, pattern)
);
ALTER TABLE relygate_global.routes DROP COLUMN tenant_argument;
COMMENT ON TABLE relygate_global.routes IS 'Routes added to this installation; where the product has the same one, the product''s counts.';
ALTER TABLE relygate_global.routes OWNER TO relygate_owner;
GRANT SELECT ON relygate_global.routes, relygate.product_routes TO relygate_api;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON relygate_global.routes
    FOR EACH STATEMENT EXECUTE FUNCTION relygate.routes_changed();

CREATE VIEW relygate.routes WITH (security_invoker, security_barrier) AS
SELECT method, pattern, function, permission, answer, status, location, message, required, one_of, read_only, lane, body_limit,
       while_suspended, tenant_argument, true AS is_product
  FROM relygate.product_routes
UNION ALL
SELECT r.method, r.pattern, r.function, r.permission, r.answer, r.status, r.location, r.message, r.required, r.one_of, r.read_only,
       r.lane, r.body_limit, r.while_suspended, NULL, false
  FROM relygate_global.routes r
 WHERE NOT EXISTS (SELECT FROM relygate.product_routes p WHERE p.method = r.method AND p.pattern = r.pattern);
COMMENT ON VIEW relygate.routes IS 'All routes: the product''s and those that were added.';
ALTER VIEW relygate.routes OWNER TO relygate_owner;
GRANT SELECT ON relygate.routes TO relygate_api;

COMMIT;
