-- The API of the product: what a route is, how a function refuses, and the one call that the shim makes. The rows of
-- product_routes stand beside their functions in the files of the domains; DBAs add theirs to relygate_global.routes.

CREATE TYPE @extschema@.answer AS (status int, content_type text, headers text[], body bytea);
COMMENT ON TYPE @extschema@.answer IS
'An HTTP answer: status, Content-Type, further headers (name and value in turn) and body.';

CREATE FUNCTION @extschema@.is_route_pattern(pattern text) RETURNS boolean
AS 'MODULE_PATHNAME', 'relygate_is_route_pattern' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.is_route_pattern(text) IS
'Whether this can be the pattern of a route: literal segments and {parameters} in snake_case, no slash at the end.';
REVOKE ALL ON FUNCTION @extschema@.is_route_pattern(text) FROM PUBLIC;

-- One definition for both tables of routes: what stands here, the migration routes repeats by LIKE.
CREATE TABLE @extschema@.product_routes (
    method text NOT NULL CHECK (method IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
    pattern text NOT NULL CHECK (@extschema@.is_route_pattern(pattern)),
    function text NOT NULL CHECK (function <> ''),
    permission text NOT NULL CHECK (permission ~ '^(public|signed_in|[a-z_]+\.[a-z_]+)$'),
    answer text NOT NULL CHECK (answer IN ('object', 'list', 'none', 'answer')),
    status int NOT NULL DEFAULT 200 CHECK (status IN (200, 201)),
    location text CHECK (location LIKE '/%'),
    message text NOT NULL DEFAULT 'OK' CHECK (message <> ''),
    required text[] NOT NULL DEFAULT '{}',
    one_of text[] NOT NULL DEFAULT '{}',
    read_only boolean NOT NULL DEFAULT false,
    lane text NOT NULL DEFAULT 'write' CHECK (lane IN ('read', 'write', 'slow')),
    body_limit int NOT NULL DEFAULT 262144 CHECK (body_limit BETWEEN 0 AND 104857600),
    while_suspended boolean NOT NULL DEFAULT false,
    tenant_argument text,
    PRIMARY KEY (method, pattern),
    CONSTRAINT product_routes_get_reads CHECK (method <> 'GET' OR read_only),
    CONSTRAINT product_routes_read_lane CHECK (lane <> 'read' OR read_only)
);
COMMENT ON TABLE @extschema@.product_routes IS 'The routes of the product; a row names a function of this schema.';
COMMENT ON COLUMN @extschema@.product_routes.pattern IS 'Path; {parameters} are bound to the function''s parameters of that name.';
COMMENT ON COLUMN @extschema@.product_routes.function IS 'Name of the function in this schema; there is only one of that name.';
COMMENT ON COLUMN @extschema@.product_routes.permission IS 'public, signed_in, or a permission as visits.write.';
COMMENT ON COLUMN @extschema@.product_routes.answer IS
'object (no row: 404), list, none, answer (the function returns an answer itself).';
COMMENT ON COLUMN @extschema@.product_routes.location IS 'Location header of a 201; {columns} are filled from the row.';
COMMENT ON COLUMN @extschema@.product_routes.message IS 'responseMessage of the envelope.';
COMMENT ON COLUMN @extschema@.product_routes.required IS
'Parameters needed although they have a DEFAULT; those of an object only if the object is there.';
COMMENT ON COLUMN @extschema@.product_routes.one_of IS
'Alternatives divided by |, exactly one of which must be there: parameters or objects.';
COMMENT ON COLUMN @extschema@.product_routes.lane IS 'read, write or slow: the backends that serve it.';
COMMENT ON COLUMN @extschema@.product_routes.body_limit IS 'Bytes of body that the shim takes.';
COMMENT ON COLUMN @extschema@.product_routes.while_suspended IS 'A write that a suspended tenant may still do, as a check-out.';
COMMENT ON COLUMN @extschema@.product_routes.tenant_argument IS
'The parameter that names the tenant to act in; NULL: the token''s tenant.';
REVOKE ALL ON @extschema@.product_routes FROM PUBLIC;

CREATE FUNCTION @extschema@.routes_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'relygate_routes_changed' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.routes_changed() IS
'Makes every backend read the routes again after the commit, and tells the shims by NOTIFY relygate_routes.';
REVOKE ALL ON FUNCTION @extschema@.routes_changed() FROM PUBLIC;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.product_routes
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.routes_changed();

CREATE FUNCTION @extschema@.rights_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'relygate_rights_changed' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.rights_changed() IS
'Makes every backend look users'' rights up again after the commit. Arguments of the trigger: the columns that matter; none: all.';
REVOKE ALL ON FUNCTION @extschema@.rights_changed() FROM PUBLIC;

CREATE FUNCTION @extschema@.refuse(status int, code text, message text, detail text DEFAULT NULL, hint text DEFAULT NULL,
    field text DEFAULT NULL, data jsonb DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'relygate_refuse' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.refuse(int, text, text, text, text, text, jsonb) IS
'Ends the request with an HTTP status: raises SQLSTATE RG and the status, with constraint name = code, column name = field (a '
'parameter''s name, or several divided by commas), datatype name = data. The dispatcher answers with it; nothing that was written stays.';
REVOKE ALL ON FUNCTION @extschema@.refuse(int, text, text, text, text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION @extschema@.checks_done() RETURNS void
AS 'MODULE_PATHNAME', 'relygate_checks_done' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.checks_done() IS
'Stands in a function of the product between what it refuses with 400 and all else. A request with a wrong member is put to the function '
'once more, and rolled back, to hear of the others too: it goes no further than this. Otherwise it does nothing.';
REVOKE ALL ON FUNCTION @extschema@.checks_done() FROM PUBLIC;

CREATE FUNCTION @extschema@.handle_request(tenant_id uuid, user_id uuid, session_id uuid, token_expires_at timestamptz,
    request_id text, client_address inet, method text, path text, query text, headers text[], body bytea)
RETURNS @extschema@.answer
AS 'MODULE_PATHNAME', 'relygate_handle_request' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.handle_request(uuid, uuid, uuid, timestamptz, text, inet, text, text, text, text[], bytea) IS
'Answers one HTTP request whose token was verified already: finds the route, sets the context, checks session and permission, '
'binds the members, calls the function and writes the answer. tenant_id, user_id and session_id come from the token (NULL: no '
'token); path and query are raw; headers are name and value in turn. Callers: the shim.';
REVOKE ALL ON FUNCTION @extschema@.handle_request(uuid, uuid, uuid, timestamptz, text, inet, text, text, text, text[], bytea)
    FROM PUBLIC;
