-- Users. Nobody gives a role that can do more than his own, nor changes who holds one: users.write alone must not lead to
-- tenant_admin. A user who goes stays as a row (is_active), since visits and the audit name him.
-- The policies hold for everybody but a superuser; tenant_id stands in the queries for the DBA who calls as one.

CREATE TYPE @extschema@.account AS (
    id uuid, user_name text, first_name text, last_name text, email text, mobile text, role text, is_active boolean,
    last_login_at timestamptz, password_changed_at timestamptz, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.account IS 'A user as the API answers it; never with a password''s hash.';

CREATE FUNCTION @extschema@.list_users(search @extschema@.search_input DEFAULT NULL, role text DEFAULT NULL,
    is_active boolean DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false, sort @extschema@.user_sort_input DEFAULT 'userName') RETURNS SETOF @extschema@.account
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    IF list_users.role IS NOT NULL THEN
        PERFORM @extschema@.role_by_name(list_users.role);
    END IF;
    RETURN QUERY WITH matching AS NOT MATERIALIZED (
        SELECT u.*, r.name AS role_name, CASE ltrim(sort, '-') WHEN 'userName' THEN u.login_name END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN u.created_at END AS moment
          FROM @extschema@.users u JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
         WHERE u.tenant_id = @extschema@.current_tenant()
           AND (list_users.role IS NULL OR lower(r.name) = lower(list_users.role))
           AND (list_users.is_active IS NULL OR u.is_active = list_users.is_active)
           AND (list_users.search IS NULL OR list_users.search = ''
                OR position(@extschema@.fold_search(list_users.search)
                            IN @extschema@.fold_search(concat_ws(' ', u.user_name, u.first_name, u.last_name, u.email))) > 0))
    SELECT m.id, m.user_name::text, m.first_name::text, m.last_name::text, m.email::text, m.mobile::text, m.role_name::text,
           m.is_active, m.last_login_at, m.password_changed_at, m.created_at, m.updated_at,
           ARRAY[@extschema@.sort_key(m.word, m.moment), m.id::text],
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      FROM matching m WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
     ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
              CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
     LIMIT page_limit OFFSET page_offset;
END $$;
COMMENT ON FUNCTION @extschema@.list_users(@extschema@.search_input, text, boolean, int, int, text[], boolean, @extschema@.user_sort_input) IS
'Users by user name. Filters: search (in user name, names and e-mail), role, is_active.';
REVOKE ALL ON FUNCTION @extschema@.list_users(@extschema@.search_input, text, boolean, int, int, text[], boolean, @extschema@.user_sort_input) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT u.id, u.user_name::text, u.first_name::text, u.last_name::text, u.email::text, u.mobile::text,
                        r.name::text, u.is_active, u.last_login_at, u.password_changed_at, u.created_at, u.updated_at,
                        NULL::text[], NULL::bigint
                   FROM @extschema@.users u JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
                  WHERE u.tenant_id = @extschema@.current_tenant() AND u.id = get_user.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_user(uuid) IS 'One user, active or not; no row: there is none.';
REVOKE ALL ON FUNCTION @extschema@.get_user(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_user(user_name @extschema@.user_name_input, password @extschema@.password_input,
    role @extschema@.label_input, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    role_id uuid;
    new_id uuid;
BEGIN
    create_user.user_name := @extschema@.normalize_user_name(create_user.user_name);
    create_user.first_name := @extschema@.normalize_person_name(create_user.first_name);
    create_user.last_name := @extschema@.normalize_person_name(create_user.last_name, 'last_name');
    create_user.email := @extschema@.normalize_email(create_user.email);
    create_user.mobile := @extschema@.normalize_mobile(create_user.mobile, @extschema@.tenant_country());
    PERFORM @extschema@.check_password(create_user.password, create_user.user_name);
    role_id := @extschema@.role_by_name(create_user.role);
    PERFORM @extschema@.checks_done();
    PERFORM @extschema@.check_role_reach(role_id);
    INSERT INTO @extschema@.users (user_name, password_hash, role_id, first_name, last_name, email, mobile)
    VALUES (create_user.user_name, @extschema@.hash_password(normalize(create_user.password, NFC)), role_id,
            create_user.first_name, create_user.last_name, create_user.email, create_user.mobile)
        ON CONFLICT DO NOTHING RETURNING users.id INTO new_id;
    IF new_id IS NULL THEN
        PERFORM @extschema@.refuse(409, 'duplicate', 'user name is taken', NULL, NULL, 'user_name');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(new_id);
END $$;
COMMENT ON FUNCTION @extschema@.create_user(@extschema@.user_name_input, @extschema@.password_input, @extschema@.label_input,
    @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input, @extschema@.mobile_input) IS
'Makes a user who may log in at once. Errors: RG400 unknown role, weak password; RG403 a role that can do more than the '
'caller''s; RG409 the user name is taken, without regard to case. Callers: tenant_admin; a DBA in a tenant''s context.';
REVOKE ALL ON FUNCTION @extschema@.create_user(@extschema@.user_name_input, @extschema@.password_input, @extschema@.label_input,
    @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input, @extschema@.mobile_input) FROM PUBLIC;

-- Who may be changed by the caller: somebody whose role is within his own. No row: no such user.
CREATE FUNCTION @extschema@.user_to_change(id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    role_id uuid;
BEGIN
    SELECT u.role_id INTO role_id FROM @extschema@.users u
     WHERE u.tenant_id = @extschema@.current_tenant() AND u.id = user_to_change.id FOR NO KEY UPDATE;
    IF FOUND THEN
        PERFORM @extschema@.check_role_reach(role_id);
    END IF;
    RETURN role_id IS NOT NULL;
END $$;
COMMENT ON FUNCTION @extschema@.user_to_change(uuid) IS
'Locks a user for a change; false: there is none. Errors: RG403 the user''s role can do more than the caller''s.';
REVOKE ALL ON FUNCTION @extschema@.user_to_change(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.end_sessions(user_id uuid, but_session uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.sessions SET revoked_at = now()
     WHERE user_id = end_sessions.user_id AND revoked_at IS NULL AND id IS DISTINCT FROM end_sessions.but_session;
END $$;
COMMENT ON FUNCTION @extschema@.end_sessions(uuid, uuid) IS 'Ends a user''s sessions, all but one: their tokens are refused from now on.';
REVOKE ALL ON FUNCTION @extschema@.end_sessions(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_user(id uuid, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL, role @extschema@.label_input DEFAULT NULL, is_active boolean DEFAULT NULL,
    password @extschema@.password_input DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_role_id uuid;
BEGIN
    update_user.first_name := @extschema@.normalize_person_name(update_user.first_name);
    update_user.last_name := @extschema@.normalize_person_name(update_user.last_name, 'last_name');
    update_user.email := @extschema@.normalize_email(update_user.email);
    update_user.mobile := @extschema@.normalize_mobile(update_user.mobile, @extschema@.tenant_country());
    IF NOT @extschema@.user_to_change(update_user.id) THEN
        RETURN;
    END IF;
    IF update_user.password IS NOT NULL THEN
        PERFORM @extschema@.check_password(update_user.password,
                                           (SELECT u.user_name::text FROM @extschema@.users u WHERE u.id = update_user.id));
    END IF;
    IF update_user.role IS NOT NULL THEN
        new_role_id := @extschema@.role_by_name(update_user.role);
    END IF;
    PERFORM @extschema@.checks_done();
    IF update_user.id = @extschema@.current_user_id() AND (update_user.role IS NOT NULL OR NOT update_user.is_active) THEN
        PERFORM @extschema@.refuse(409, 'own_account', 'nobody changes his own role or closes his own account');
    END IF;
    IF update_user.role IS NOT NULL THEN
        PERFORM @extschema@.check_role_reach(new_role_id);
    END IF;
    IF update_user.password IS NOT NULL AND update_user.id = @extschema@.current_user_id() THEN
        PERFORM @extschema@.refuse(409, 'own_account', 'nobody changes his own password without the one of now',
            hint => 'Use POST /api/auth/change-password.', field => 'password');
    END IF;
    UPDATE @extschema@.users u
       SET first_name = @extschema@.patched(given, 'first_name', update_user.first_name, u.first_name),
           last_name = @extschema@.patched(given, 'last_name', update_user.last_name, u.last_name),
           email = @extschema@.patched(given, 'email', update_user.email, u.email),
           mobile = @extschema@.patched(given, 'mobile', update_user.mobile, u.mobile),
           role_id = @extschema@.patched(given, 'role', new_role_id, u.role_id),
           is_active = @extschema@.patched(given, 'is_active', update_user.is_active, u.is_active),
           password_hash = @extschema@.patched(given, 'password', @extschema@.hash_password(normalize(update_user.password, NFC)), u.password_hash::text),
           password_changed_at = CASE WHEN update_user.password IS NULL THEN u.password_changed_at ELSE now() END
     WHERE u.id = update_user.id;
    IF update_user.password IS NOT NULL OR NOT update_user.is_active THEN
        PERFORM @extschema@.end_sessions(update_user.id);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(update_user.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_user(uuid, @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input,
    @extschema@.mobile_input, @extschema@.label_input, boolean, @extschema@.password_input, text[]) IS
'Changes a user. A new password, and is_active false, end the user''s sessions. Errors: RG403 the user''s role or the new one can '
'do more than the caller''s; RG409 own_account: the own role, account or password.';
REVOKE ALL ON FUNCTION @extschema@.update_user(uuid, @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input,
    @extschema@.mobile_input, @extschema@.label_input, boolean, @extschema@.password_input, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.delete_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.update_user(delete_user.id, is_active => false);
END $$;
COMMENT ON FUNCTION @extschema@.delete_user(uuid) IS
'Closes a user''s account and ends the sessions; the row stays, since visits and the audit name it. Errors as update_user.';
REVOKE ALL ON FUNCTION @extschema@.delete_user(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.unlock_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- Else whoever may unlock could try an administrator's passwords without end, four at a time.
    IF @extschema@.user_to_change(unlock_user.id) THEN
        PERFORM @extschema@.clear_login_attempts(@extschema@.current_tenant()::text, u.login_name)
           FROM @extschema@.users u WHERE u.tenant_id = @extschema@.current_tenant() AND u.id = unlock_user.id;
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(unlock_user.id);
END $$;
COMMENT ON FUNCTION @extschema@.unlock_user(uuid) IS
'Lets a user log in again who is locked after failed attempts. Errors: RG403 the user''s role can do more than the caller''s.';
REVOKE ALL ON FUNCTION @extschema@.unlock_user(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.sign_out_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF @extschema@.user_to_change(sign_out_user.id) THEN
        PERFORM @extschema@.end_sessions(sign_out_user.id);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(sign_out_user.id);
END $$;
COMMENT ON FUNCTION @extschema@.sign_out_user(uuid) IS 'Ends all sessions of a user. Errors: RG403 the user''s role can do more than the caller''s.';
REVOKE ALL ON FUNCTION @extschema@.sign_out_user(uuid) FROM PUBLIC;

INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, read_only, lane)
VALUES
    ('GET', '/api/users', 'list_users', 'users.read', 'list', 200, NULL, 'Users', true, 'read'),
    ('POST', '/api/users', 'create_user', 'users.write', 'object', 201, '/api/users/{id}', 'User created', false, 'write'),
    ('GET', '/api/users/{id}', 'get_user', 'users.read', 'object', 200, NULL, 'User', true, 'read'),
    ('DELETE', '/api/users/{id}', 'delete_user', 'users.write', 'object', 200, NULL, 'User closed', false, 'write'),
    ('POST', '/api/users/{id}/unlock', 'unlock_user', 'users.write', 'object', 200, NULL, 'User unlocked', false, 'write'),
    ('POST', '/api/users/{id}/sign-out', 'sign_out_user', 'users.write', 'object', 200, NULL, 'User signed out', false, 'write');
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/users/{id}', 'update_user', 'users.write', 'object', 200, 'User changed', '{role,password,is_active}', false, 'write');
