-- A stand-in for the product that does on request what a real one does once a year: fail with any SQLSTATE, be slow, lose a
-- connection. What is tested over it is the shim alone, which knows of a database no more than these names.
CREATE SCHEMA relygate;
CREATE TYPE relygate.answer AS (status int, content_type text, headers text[], body bytea);
CREATE TABLE relygate.routes (method text, pattern text, permission text DEFAULT 'signed_in', read_only boolean DEFAULT false,
    lane text DEFAULT 'write', body_limit int DEFAULT 65536, PRIMARY KEY (method, pattern));
CREATE TABLE relygate.keys (kid text PRIMARY KEY, jwk json NOT NULL);
CREATE TABLE relygate.calls (id bigserial PRIMARY KEY, request_id text, path text);
CREATE SEQUENCE relygate.attempts;   -- counts what was rolled back, too
CREATE TABLE relygate.owners (id int PRIMARY KEY);
CREATE TABLE relygate.owned (id int REFERENCES relygate.owners DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION relygate.jwks() RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT json_build_object('keys', COALESCE(json_agg(jwk ORDER BY kid), '[]'))::text FROM relygate.keys $$;
CREATE FUNCTION relygate.tell() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('relygate_' || TG_TABLE_NAME, ''); RETURN NULL; END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON relygate.routes FOR EACH STATEMENT EXECUTE FUNCTION relygate.tell();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON relygate.keys FOR EACH STATEMENT EXECUTE FUNCTION relygate.tell();

CREATE FUNCTION relygate.handle_request(tenant_id uuid, user_id uuid, session_id uuid, token_expires_at timestamptz,
    request_id text, client_address inet, method text, path text, query text, headers text[], body bytea)
RETURNS relygate.answer LANGUAGE plpgsql AS $$
DECLARE
    word text := (regexp_match(query, '(?:^|&)state=([0-9A-Z]{5})'))[1];
    number numeric := (regexp_match(query, '(?:^|&)number=([0-9.]+)'))[1]::numeric;
    attempt bigint;
    reply jsonb;
    left_behind text := current_setting('toy.path', true);
BEGIN
    PERFORM set_config('toy.path', path, true);
    INSERT INTO relygate.calls (request_id, path) VALUES (request_id, path);
    IF path = '/api/raise' THEN
        attempt := nextval('relygate.attempts');
        IF number IS NULL OR attempt <= number THEN
            RAISE EXCEPTION 'relation "secret_table" violates "secret_constraint"' USING ERRCODE = word;
        END IF;
    ELSIF path IN ('/api/sleep', '/api/nap', '/api/slow') THEN
        PERFORM pg_sleep(number);
    ELSIF path = '/api/warn' THEN
        RAISE WARNING '%', repeat('w', number::int);
    ELSIF path = '/api/forget' AND query <> 'ok' THEN
        EXECUTE format('DEALLOCATE %I', (regexp_match(query, 'name=([a-z]+)'))[1]);
        RAISE EXCEPTION 'forgotten' USING ERRCODE = '22012';
    ELSIF path = '/api/read-only' THEN
        PERFORM set_config('transaction_read_only', 'on', true);
    ELSIF path = '/api/owned' AND query <> 'ok' THEN
        INSERT INTO relygate.owned VALUES (1);   -- is found wrong when the transaction ends
    ELSIF path = '/api/gone' THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
    ELSIF path = '/api/status' THEN
        RETURN ROW(number::int, 'application/json', ARRAY['Location', '/api/there', 'Connection', 'upgrade', 'X-Extra', 'yes'],
                   convert_to('{"status":' || number || '}', 'UTF8'))::relygate.answer;
    ELSIF path = '/api/headers' THEN
        RETURN ROW(200, 'application/json', ARRAY['X-Long', repeat('x', number::int)], convert_to('{}', 'UTF8'))::relygate.answer;
    ELSIF path = '/api/large' THEN
        RETURN ROW(200, 'application/json', NULL, convert_to('"' || repeat('x', number::int) || '"', 'UTF8'))::relygate.answer;
    END IF;
    reply := jsonb_build_object('responseCode', 'S', 'responseMessage', 'OK', 'data', jsonb_build_object(
        'tenantId', tenant_id, 'userId', user_id, 'sessionId', session_id, 'expiresAt', extract(epoch FROM token_expires_at),
        'requestId', request_id, 'clientAddress', host(client_address), 'method', method, 'path', path, 'query', query,
        'headers', headers, 'body', convert_from(body, 'UTF8'), 'attempt', attempt, 'pid', pg_backend_pid(),
        'transaction', pg_current_xact_id(), 'leftBehind', left_behind,
        'settings', jsonb_build_object('statement_timeout', current_setting('statement_timeout'),
            'token_lifetime', current_setting('relygate.token_lifetime', true), 'token_issuer', current_setting('relygate.token_issuer', true))));
    RETURN ROW(200, 'application/json; charset=utf-8', '{}'::text[], convert_to(reply::text, 'UTF8'))::relygate.answer;
END $$;

INSERT INTO relygate.routes (method, pattern, permission, read_only, lane) VALUES
    ('POST', '/api/auth/login', 'public', false, 'write'),
    ('GET', '/api/auth/userinfo', 'signed_in', true, 'read'),
    ('GET', '/api/visitors', 'visitors.read', true, 'read'),
    ('GET', '/api/visitors/{id}', 'visitors.read', true, 'read'),
    ('GET', '/api/visitors/{id}/status', 'visitors.read', true, 'read'),
    ('POST', '/api/visits', 'visits.write', false, 'write'),
    ('PATCH', '/api/visits/{id}', 'visits.write', false, 'write'),
    ('POST', '/api/files', 'signed_in', false, 'write'),
    ('GET', '/api/echo', 'public', true, 'read'),
    ('POST', '/api/echo', 'public', false, 'write'),
    ('GET', '/api/raise', 'public', true, 'read'),
    ('POST', '/api/raise', 'public', false, 'write'),
    ('GET', '/api/sleep', 'public', true, 'read'),
    ('POST', '/api/sleep', 'public', false, 'write'),
    ('GET', '/api/nap', 'public', true, 'read'),
    ('GET', '/api/slow', 'public', true, 'slow'),
    ('GET', '/api/forget', 'public', true, 'read'),
    ('GET', '/api/read-only', 'public', true, 'read'),
    ('GET', '/api/owned', 'public', true, 'read'),
    ('GET', '/api/warn', 'public', true, 'read'),
    ('POST', '/api/gone', 'public', false, 'write'),
    ('GET', '/api/status', 'public', true, 'read'),
    ('POST', '/api/status', 'public', false, 'write'),
    ('GET', '/api/headers', 'public', true, 'read'),
    ('GET', '/api/large', 'public', true, 'read');
GRANT USAGE ON SCHEMA relygate TO PUBLIC;
GRANT SELECT ON relygate.routes, relygate.keys TO PUBLIC;
GRANT INSERT, SELECT ON relygate.calls, relygate.owners, relygate.owned TO PUBLIC;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA relygate TO PUBLIC;
