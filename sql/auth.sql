-- Logging in and out. A wrong tenant, a wrong user name, a wrong password and a closed account are one answer that takes one
-- time; a failed attempt must stay counted, so these functions answer themselves (type answer) instead of raising.
-- A refresh token is opaque: tenant, session and 32 random bytes, kept as a digest. It is good once; who shows it a second
-- time, or a thief of it, ends the session for both.

CREATE FUNCTION @extschema@.json_answer(status int, body json, headers text[] DEFAULT '{}') RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ROW(status, 'application/json; charset=utf-8', headers, convert_to(body::text, 'UTF8'))::@extschema@.answer;
END $$;
COMMENT ON FUNCTION @extschema@.json_answer(int, json, text[]) IS 'An answer with a JSON body.';
REVOKE ALL ON FUNCTION @extschema@.json_answer(int, json, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.success(message text, data json) RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- What carries a token is nobody's to keep (RFC 6749, 5.1).
    RETURN @extschema@.json_answer(200, json_build_object('responseCode', 'S', 'responseMessage', message, 'data', data),
                                   ARRAY['Cache-Control', 'no-store']);
END $$;
COMMENT ON FUNCTION @extschema@.success(text, json) IS 'The envelope of a success as an answer.';
REVOKE ALL ON FUNCTION @extschema@.success(text, json) FROM PUBLIC;

CREATE FUNCTION @extschema@.refusal(status int, code text, message text, headers text[] DEFAULT '{}', field text DEFAULT NULL)
RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.json_answer(status, json_build_object('responseCode', 'E', 'responseMessage', message, 'code', code,
        'errors', CASE WHEN field IS NULL THEN '[]'::json
                       ELSE json_build_array(json_build_object('field', field, 'code', code, 'message', message)) END,
        'requestId', nullif(current_setting('app.request_id', true), '')), headers);
END $$;
COMMENT ON FUNCTION @extschema@.refusal(int, text, text, text[], text) IS
'The envelope of a refusal as an answer: unlike refuse() it lets what was written stay.';
REVOKE ALL ON FUNCTION @extschema@.refusal(int, text, text, text[], text) FROM PUBLIC;

CREATE FUNCTION @extschema@.locked_answer(locked_until timestamptz) RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.refusal(423, 'locked', 'too many failed attempts, try again later',
        ARRAY['Retry-After', greatest(1, ceil(extract(epoch FROM locked_until - clock_timestamp())))::int::text]);
END $$;
COMMENT ON FUNCTION @extschema@.locked_answer(timestamptz) IS 'The answer to an attempt while the name is locked.';
REVOKE ALL ON FUNCTION @extschema@.locked_answer(timestamptz) FROM PUBLIC;

CREATE FUNCTION @extschema@.rfc3339(moment timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN rtrim(rtrim(to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z';
END $$;
COMMENT ON FUNCTION @extschema@.rfc3339(timestamptz) IS 'A moment in UTC as the dispatcher writes it (RFC 3339).';
REVOKE ALL ON FUNCTION @extschema@.rfc3339(timestamptz) FROM PUBLIC;

-- Who am I --------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.userinfo AS (
    id uuid, user_name text, first_name text, last_name text, email text, mobile text, role text, permissions text[],
    tenant__id uuid, tenant__code text, tenant__name text, tenant__kind text, tenant__country text, tenant__time_zone text,
    tenant__state text, last_login_at timestamptz, password_changed_at timestamptz);
COMMENT ON TYPE @extschema@.userinfo IS 'The user of a token, the rights of now and the tenant.';

CREATE FUNCTION @extschema@.userinfo() RETURNS SETOF @extschema@.userinfo
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT u.id, u.user_name::text, u.first_name::text, u.last_name::text, u.email::text, u.mobile::text,
                        r.name::text, @extschema@.permissions_of(r.id), t.id, t.code::text, t.name::text, t.kind::text,
                        t.country::text, t.time_zone::text, t.state::text, u.last_login_at, u.password_changed_at
                   FROM @extschema@.users u
                   JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
                   JOIN @extschema@.tenants t ON t.id = u.tenant_id
                  WHERE u.id = @extschema@.current_user_id();
END $$;
COMMENT ON FUNCTION @extschema@.userinfo() IS 'The user of the token with role and permissions of now, and the tenant.';
REVOKE ALL ON FUNCTION @extschema@.userinfo() FROM PUBLIC;

-- Tokens ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.new_refresh_token(session_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.base64url(uuid_send(@extschema@.current_tenant()) || uuid_send(session_id) || @extschema@.random_bytes(32));
END $$;
COMMENT ON FUNCTION @extschema@.new_refresh_token(uuid) IS 'A refresh token of a session of the tenant: 86 characters.';
REVOKE ALL ON FUNCTION @extschema@.new_refresh_token(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.token_data(session_id uuid, refresh_token text) RETURNS json
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me record;
    signed record;
BEGIN
    SELECT i.* INTO STRICT me FROM @extschema@.userinfo() i;
    SELECT s.* INTO STRICT signed FROM @extschema@.sign_token(me.id, token_data.session_id, me.role) s;
    RETURN json_build_object('token', signed.token, 'expiresAt', @extschema@.rfc3339(signed.expires_at),
        'refreshToken', token_data.refresh_token,
        'user', json_build_object('id', me.id, 'userName', me.user_name, 'firstName', me.first_name, 'lastName', me.last_name,
            'role', me.role, 'permissions', me.permissions,
            'tenant', json_build_object('id', me.tenant__id, 'code', me.tenant__code, 'name', me.tenant__name)));
END $$;
COMMENT ON FUNCTION @extschema@.token_data(uuid, text) IS 'What a login and a refresh answer: a new access token of the current user.';
REVOKE ALL ON FUNCTION @extschema@.token_data(uuid, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.wrong_credentials() RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.refusal(401, 'invalid_credentials', 'wrong tenant, user name or password', ARRAY['WWW-Authenticate', 'Bearer']);
END $$;
COMMENT ON FUNCTION @extschema@.wrong_credentials() IS 'The one answer to whatever is wrong about a login.';
REVOKE ALL ON FUNCTION @extschema@.wrong_credentials() FROM PUBLIC;

CREATE FUNCTION @extschema@.login(tenant text, user_name text, password text) RETURNS @extschema@.answer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tenant_id CONSTANT uuid := @extschema@.find_tenant(login.tenant);
    -- Code and id of a tenant, and all spellings of a name, share one counter.
    tenant_key CONSTANT text := coalesce(tenant_id::text, login.tenant);
    login_key CONSTANT text := @extschema@.fold_search(login.user_name);
    typed CONSTANT text := normalize(login.password, NFC);
    locked_until CONSTANT timestamptz := @extschema@.count_login_attempt(tenant_key, login_key);
    known record;
    is_right boolean;
    session_id CONSTANT uuid := @extschema@.uuid_v7();
    refresh_token text;
BEGIN
    IF locked_until IS NOT NULL THEN
        RETURN @extschema@.locked_answer(locked_until);
    END IF;
    IF tenant_id IS NOT NULL THEN
        -- The one time that a public route chooses its tenant; from here on the policies hold.
        PERFORM set_config('app.tenant_id', tenant_id::text, true);
        SELECT u.id, u.password_hash, u.is_active, r.name AS role INTO known
          FROM @extschema@.users u JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
         WHERE u.tenant_id = @extschema@.current_tenant() AND u.login_name = login_key;
        is_right := @extschema@.verify_password(typed, known.password_hash) AND known.is_active;
    ELSE
        is_right := @extschema@.verify_password(typed, NULL);
    END IF;
    IF is_right IS NOT TRUE THEN
        RETURN @extschema@.wrong_credentials();
    END IF;

    PERFORM @extschema@.clear_login_attempts(tenant_key, login_key);
    PERFORM set_config('app.user_id', known.id::text, true), set_config('app.user_role', known.role::text, true);
    UPDATE @extschema@.users u
       SET last_login_at = now(),
           password_hash = CASE WHEN known.password_hash LIKE '$y$%' THEN u.password_hash ELSE @extschema@.hash_password(typed) END
     WHERE u.id = known.id;
    DELETE FROM @extschema@.sessions WHERE user_id = known.id AND expires_at < now() - interval '1 day';
    refresh_token := @extschema@.new_refresh_token(session_id);
    INSERT INTO @extschema@.sessions (id, user_id, refresh_hash, client_address, expires_at)
    VALUES (session_id, known.id, sha256(convert_to(refresh_token, 'UTF8')),
            nullif(current_setting('app.client_address', true), '')::inet, now() + interval '30 days');
    RETURN @extschema@.success('Signed in', @extschema@.token_data(session_id, refresh_token));
END $$;
COMMENT ON FUNCTION @extschema@.login(text, text, text) IS
'Checks a password and begins a session. Answers 401 invalid_credentials for whatever is wrong, 423 locked with Retry-After '
'after five failures in a quarter of an hour, known name or not. tenant is a code or an id.';
REVOKE ALL ON FUNCTION @extschema@.login(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.refresh(refresh_token text) RETURNS @extschema@.answer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    shown CONSTANT bytea := sha256(convert_to(refresh.refresh_token, 'UTF8'));
    bytes bytea;
    known record;
    next_token text;
    refused CONSTANT @extschema@.answer := @extschema@.refusal(401, 'invalid_refresh_token', 'refresh token is not valid any more',
                                                              ARRAY['WWW-Authenticate', 'Bearer']);
BEGIN
    IF refresh.refresh_token !~ '^[A-Za-z0-9_-]{86}$' THEN
        RETURN refused;
    END IF;
    bytes := decode(translate(refresh.refresh_token, '-_', '+/') || '==', 'base64');
    -- A made-up tenant finds no session: what the text names is no right, the digest is.
    PERFORM set_config('app.tenant_id', encode(substr(bytes, 1, 16), 'hex')::uuid::text, true);
    SELECT s.id, s.user_id, s.refresh_hash, s.used_refresh_hashes, s.revoked_at IS NULL AND s.expires_at > now() AND u.is_active AS is_live
      INTO known
      FROM @extschema@.sessions s JOIN @extschema@.users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
     WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = encode(substr(bytes, 17, 16), 'hex')::uuid FOR UPDATE OF s;
    IF known.is_live IS NOT TRUE THEN
        RETURN refused;
    ELSIF shown = ANY (known.used_refresh_hashes) THEN
        UPDATE @extschema@.sessions SET revoked_at = now() WHERE id = known.id;
        RETURN refused;
    ELSIF shown <> known.refresh_hash THEN
        RETURN refused;
    END IF;
    PERFORM set_config('app.user_id', known.user_id::text, true);
    next_token := @extschema@.new_refresh_token(known.id);
    UPDATE @extschema@.sessions s
       SET refresh_hash = sha256(convert_to(next_token, 'UTF8')), refreshed_at = now(), expires_at = now() + interval '30 days',
           used_refresh_hashes = (array_prepend(s.refresh_hash, s.used_refresh_hashes))[1:20]
     WHERE s.id = known.id;
    RETURN @extschema@.success('Refreshed', @extschema@.token_data(known.id, next_token));
END $$;
COMMENT ON FUNCTION @extschema@.refresh(text) IS
'Exchanges a refresh token for a new pair; it is good once. One of the last twenty shown again ends the session. Answers 401 '
'invalid_refresh_token for whatever is wrong.';
REVOKE ALL ON FUNCTION @extschema@.refresh(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.logout() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.sessions SET revoked_at = now() WHERE id = @extschema@.current_session_id() AND revoked_at IS NULL;
END $$;
COMMENT ON FUNCTION @extschema@.logout() IS
'Ends the session of the token: access and refresh tokens of it are refused from now on. A token without a session is its issuer''s to end.';
REVOKE ALL ON FUNCTION @extschema@.logout() FROM PUBLIC;

CREATE FUNCTION @extschema@.change_password(current_password text, new_password @extschema@.password_input) RETURNS @extschema@.answer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tenant_key CONSTANT text := @extschema@.current_tenant()::text;
    known record;
    locked_until timestamptz;
BEGIN
    SELECT u.id, u.user_name, u.login_name, u.password_hash INTO known
      FROM @extschema@.users u WHERE u.id = @extschema@.current_user_id();
    -- A stolen token must not become a way to try passwords.
    locked_until := @extschema@.count_login_attempt(tenant_key, known.login_name);
    IF locked_until IS NOT NULL THEN
        RETURN @extschema@.locked_answer(locked_until);
    ELSIF NOT @extschema@.verify_password(normalize(change_password.current_password, NFC), known.password_hash) THEN
        RETURN @extschema@.refusal(422, 'wrong_password', 'current password is wrong', '{}', 'currentPassword');
    END IF;
    PERFORM @extschema@.clear_login_attempts(tenant_key, known.login_name);
    PERFORM @extschema@.check_password(change_password.new_password, known.user_name::text);
    UPDATE @extschema@.users u
       SET password_hash = @extschema@.hash_password(normalize(change_password.new_password, NFC)), password_changed_at = now()
     WHERE u.id = known.id;
    PERFORM @extschema@.end_sessions(known.id, @extschema@.current_session_id());
    RETURN @extschema@.success('Password changed', NULL);
END $$;
COMMENT ON FUNCTION @extschema@.change_password(text, @extschema@.password_input) IS
'Changes the caller''s own password and ends the other sessions. Answers 422 wrong_password (counted like a failed login), 423 locked.';
REVOKE ALL ON FUNCTION @extschema@.change_password(text, @extschema@.password_input) FROM PUBLIC;

INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, message, read_only, lane, while_suspended)
VALUES
    ('POST', '/api/auth/login', 'login', 'public', 'answer', 'Signed in', false, 'write', true),
    ('POST', '/api/auth/refresh', 'refresh', 'public', 'answer', 'Refreshed', false, 'write', true),
    ('POST', '/api/auth/logout', 'logout', 'signed_in', 'none', 'Signed out', false, 'write', true),
    ('POST', '/api/auth/change-password', 'change_password', 'signed_in', 'answer', 'Password changed', false, 'write', true),
    ('GET', '/api/auth/userinfo', 'userinfo', 'signed_in', 'object', 'User', true, 'read', false);
