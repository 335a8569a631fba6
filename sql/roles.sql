-- Roles and permissions. The permissions of the built-in roles stand here, so that a release can add one without touching
-- the rows of every tenant; a role that a tenant made itself has rows in role_permissions. Nobody gives a permission that he
-- does not have.

-- Permissions -----------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.permission AS (permission text, description text);
COMMENT ON TYPE @extschema@.permission IS 'A permission as the API answers it.';

CREATE FUNCTION @extschema@.product_permissions() RETURNS SETOF @extschema@.permission
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY VALUES
        ('audit.read', 'Read who changed what and when'),
        ('places.read', 'Read locations, gates and hosts'),
        ('places.write', 'Change locations, gates and hosts'),
        ('platform.read', 'Ask the routes of the installation''s own that read for the operator'),
        ('platform.write', 'Ask the routes of the installation''s own that write for the operator'),
        ('roles.read', 'Read roles and permissions'),
        ('roles.write', 'Change the roles that the tenant made itself'),
        ('sites.read', 'Read sites and their occupancy'),
        ('sites.write', 'Change sites'),
        ('users.read', 'Read users'),
        ('users.write', 'Make, change, unlock and sign out users'),
        ('visitors.read', 'Read visitors'),
        ('visitors.write', 'Register and change visitors'),
        ('visits.read', 'Read visits'),
        ('visits.write', 'Check visitors in and out, refuse and cancel visits'),
        ('vocabularies.read', 'Read visitor categories and purposes'),
        ('vocabularies.write', 'Change visitor categories and purposes');
END $$;
COMMENT ON FUNCTION @extschema@.product_permissions() IS
'All permissions that routes of the product ask for, and platform.*, which routes of a DBA may ask for and which counts only in the '
'operator''s tenant.';
REVOKE ALL ON FUNCTION @extschema@.product_permissions() FROM PUBLIC;

CREATE FUNCTION @extschema@.built_in_roles() RETURNS TABLE (role text, permissions text[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    everything CONSTANT text[] := (SELECT array_agg(p.permission ORDER BY p.permission) FROM @extschema@.product_permissions() p);
    at_the_desk CONSTANT text[] := ARRAY['places.read', 'sites.read', 'visitors.read', 'visitors.write', 'visits.read',
                                         'visits.write', 'vocabularies.read'];
BEGIN
    RETURN QUERY VALUES
        ('platform_admin', everything),
        ('tenant_admin', array_remove(array_remove(everything, 'platform.read'), 'platform.write')),
        ('receptionist', at_the_desk),
        ('security_guard', at_the_desk),
        ('host', ARRAY['places.read', 'sites.read', 'vocabularies.read']),
        ('auditor', ARRAY['audit.read', 'places.read', 'roles.read', 'sites.read', 'users.read', 'visitors.read', 'visits.read',
                          'vocabularies.read']);
END $$;
COMMENT ON FUNCTION @extschema@.built_in_roles() IS 'The roles that every tenant has (platform_admin: the operator''s), with their permissions.';
REVOKE ALL ON FUNCTION @extschema@.built_in_roles() FROM PUBLIC;

CREATE FUNCTION @extschema@.built_in_permissions(role text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT b.permissions FROM @extschema@.built_in_roles() b WHERE b.role = built_in_permissions.role);
END $$;
COMMENT ON FUNCTION @extschema@.built_in_permissions(text) IS 'What a built-in role may do, in order; NULL: there is no such role.';
REVOKE ALL ON FUNCTION @extschema@.built_in_permissions(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.permissions_of(role_id uuid) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT CASE WHEN r.is_built_in THEN coalesce(@extschema@.built_in_permissions(r.name::text), '{}')
                        -- What no route asks for any more nobody has, gives or lacks, although its row may stay.
                        ELSE ARRAY(SELECT p.permission FROM @extschema@.role_permissions p WHERE p.role_id = r.id
                            AND EXISTS (SELECT FROM @extschema@.routes u WHERE u.permission = p.permission) ORDER BY 1) END
              FROM @extschema@.roles r WHERE r.id = permissions_of.role_id);
END $$;
COMMENT ON FUNCTION @extschema@.permissions_of(uuid) IS 'What a role of the tenant may do, in order: what some route asks for. NULL: there is no such role.';
REVOKE ALL ON FUNCTION @extschema@.permissions_of(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.list_permissions() RETURNS SETOF @extschema@.permission
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT p.permission, p.description FROM (
        SELECT k.* FROM @extschema@.product_permissions() k
         UNION ALL
        SELECT DISTINCT r.permission, 'Ask routes of this installation''s own' FROM @extschema@.routes r
         WHERE NOT r.is_product AND r.permission LIKE '%.%'
           AND NOT EXISTS (SELECT FROM @extschema@.product_permissions() k WHERE k.permission = r.permission)) p
     WHERE p.permission NOT LIKE 'platform.%' ORDER BY p.permission;
END $$;
COMMENT ON FUNCTION @extschema@.list_permissions() IS
'The permissions that a role of a tenant can have: those of the product, and those that a DBA''s routes ask for.';
REVOKE ALL ON FUNCTION @extschema@.list_permissions() FROM PUBLIC;

-- Roles -----------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.role AS (
    id uuid, name text, is_built_in boolean, permissions text[], created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.role IS 'A role as the API answers it.';

CREATE FUNCTION @extschema@.list_roles(page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false, sort @extschema@.name_sort_input DEFAULT 'name') RETURNS SETOF @extschema@.role
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH matching AS NOT MATERIALIZED (
        SELECT r.*, CASE ltrim(sort, '-') WHEN 'name' THEN lower(r.name) END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN r.created_at END AS moment
          FROM @extschema@.roles r WHERE r.tenant_id = @extschema@.current_tenant())
    SELECT m.id, m.name::text, m.is_built_in, @extschema@.permissions_of(m.id), m.created_at, m.updated_at,
           ARRAY[@extschema@.sort_key(m.word, m.moment), m.id::text],
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      FROM matching m WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
     ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
              CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
     LIMIT page_limit OFFSET page_offset;
END $$;
COMMENT ON FUNCTION @extschema@.list_roles(int, int, text[], boolean, @extschema@.name_sort_input) IS 'Roles by name, with what each may do.';
REVOKE ALL ON FUNCTION @extschema@.list_roles(int, int, text[], boolean, @extschema@.name_sort_input) FROM PUBLIC;

CREATE FUNCTION @extschema@.role_by_name(role text, field text DEFAULT 'role') RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    role_id CONSTANT uuid := (SELECT r.id FROM @extschema@.roles r
                                   WHERE r.tenant_id = @extschema@.current_tenant() AND lower(r.name) = lower(role_by_name.role));
BEGIN
    IF role_id IS NULL THEN
        PERFORM @extschema@.refuse(400, 'unknown', 'unknown role', NULL,
            'They are listed by GET /api/roles, in SQL by relygate.list_roles().', role_by_name.field);
    END IF;
    RETURN role_id;
END $$;
COMMENT ON FUNCTION @extschema@.role_by_name(text, text) IS 'The id of a role of the tenant by its name. Errors: RG400 there is none.';
REVOKE ALL ON FUNCTION @extschema@.role_by_name(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_permissions_reach(permissions text[]) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF @extschema@.current_user_id() IS NULL THEN
        RETURN;
    END IF;
    -- Not NULL either: a role that is not there is within nobody's reach.
    IF (check_permissions_reach.permissions <@ coalesce(@extschema@.permissions_of(
           (SELECT u.role_id FROM @extschema@.users u WHERE u.id = @extschema@.current_user_id())), '{}')) IS NOT TRUE THEN
        PERFORM @extschema@.refuse(403, 'role_beyond_own', 'this role can do more than yours');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_permissions_reach(text[]) IS
'Refuses (RG403) permissions that the caller does not have. To be asked before they are given: afterwards they may be his own.';
REVOKE ALL ON FUNCTION @extschema@.check_permissions_reach(text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_role_reach(role_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@.check_permissions_reach(@extschema@.permissions_of(check_role_reach.role_id));
END $$;
COMMENT ON FUNCTION @extschema@.check_role_reach(uuid) IS 'Refuses (RG403) a role with a permission that the caller does not have.';
REVOKE ALL ON FUNCTION @extschema@.check_role_reach(uuid) FROM PUBLIC;

-- Roles that a tenant makes itself --------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_role(id uuid) RETURNS SETOF @extschema@.role
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT r.id, r.name::text, r.is_built_in, @extschema@.permissions_of(r.id), r.created_at, r.updated_at,
                        NULL::text[], NULL::bigint
                   FROM @extschema@.roles r WHERE r.tenant_id = @extschema@.current_tenant() AND r.id = get_role.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_role(uuid) IS 'One role with what it may do; no row: there is none.';
REVOKE ALL ON FUNCTION @extschema@.get_role(uuid) FROM PUBLIC;

-- Replaces what a role may do; rows that stay are not touched, so the audit shows what changed alone.
CREATE FUNCTION @extschema@.give_permissions(role_id uuid, permissions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    unknown text;
BEGIN
    SELECT string_agg(DISTINCT format('"%s"', left(asked.permission, 100)), ', ') INTO unknown
      FROM unnest(give_permissions.permissions) AS asked (permission)
     WHERE NOT EXISTS (SELECT FROM @extschema@.list_permissions() p WHERE p.permission = asked.permission);
    IF unknown IS NOT NULL THEN
        PERFORM @extschema@.refuse(400, 'unknown', 'unknown permission', format('There is no permission %s.', left(unknown, 150)),
                                   'They are listed by GET /api/permissions, in SQL by relygate.list_permissions().', 'permissions');
    END IF;
    PERFORM @extschema@.check_permissions_reach(give_permissions.permissions);
    DELETE FROM @extschema@.role_permissions
     WHERE role_id = give_permissions.role_id AND permission <> ALL (give_permissions.permissions);
    INSERT INTO @extschema@.role_permissions (role_id, permission)
    SELECT DISTINCT give_permissions.role_id, asked.permission FROM unnest(give_permissions.permissions) AS asked (permission)
        ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION @extschema@.give_permissions(uuid, text[]) IS
'Lets a role do exactly this. Errors: RG400 unknown permission; RG403 more than the caller may.';
REVOKE ALL ON FUNCTION @extschema@.give_permissions(uuid, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_role_name(name text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked CONSTANT text := @extschema@.normalize_label(name);
BEGIN
    -- Those that this tenant does not have, too: whoever reads platform_admin takes it for one.
    IF EXISTS (SELECT FROM @extschema@.built_in_roles() b WHERE b.role = @extschema@.fold_search(asked)) THEN
        PERFORM @extschema@.refuse(409, 'built_in', 'name belongs to a built-in role', field => 'name');
    END IF;
    RETURN asked;
END $$;
COMMENT ON FUNCTION @extschema@.check_role_name(text) IS
'The name of a role of the tenant''s own, normalised. Errors: RG400; RG409 a built-in role is called so, in whatever case.';
REVOKE ALL ON FUNCTION @extschema@.check_role_name(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_role(name @extschema@.label_input, permissions text[]) RETURNS SETOF @extschema@.role
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_id uuid;
BEGIN
    INSERT INTO @extschema@.roles (name) VALUES (@extschema@.check_role_name(create_role.name)) ON CONFLICT DO NOTHING RETURNING roles.id INTO new_id;
    IF new_id IS NULL THEN
        PERFORM @extschema@.refuse(409, 'duplicate', 'role name is taken', NULL, NULL, 'name');
    END IF;
    PERFORM @extschema@.give_permissions(new_id, create_role.permissions);
    RETURN QUERY SELECT * FROM @extschema@.get_role(new_id);
END $$;
COMMENT ON FUNCTION @extschema@.create_role(@extschema@.label_input, text[]) IS
'Makes a role of the tenant''s own. Errors: RG400 unknown permission; RG403 more than the caller may; RG409 the name is taken or built in.';
REVOKE ALL ON FUNCTION @extschema@.create_role(@extschema@.label_input, text[]) FROM PUBLIC;

-- Locks one of the tenant's own roles; false: there is none.
CREATE FUNCTION @extschema@.role_to_change(id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    is_fixed boolean;
BEGIN
    SELECT r.is_built_in INTO is_fixed FROM @extschema@.roles r
     WHERE r.tenant_id = @extschema@.current_tenant() AND r.id = role_to_change.id FOR UPDATE;
    IF is_fixed THEN
        PERFORM @extschema@.refuse(409, 'built_in', 'built-in roles cannot be changed');
    ELSIF is_fixed IS NOT NULL THEN
        PERFORM @extschema@.check_role_reach(role_to_change.id);
    END IF;
    RETURN is_fixed IS NOT NULL;
END $$;
COMMENT ON FUNCTION @extschema@.role_to_change(uuid) IS
'Locks a role for a change. Errors: RG409 built_in; RG403 it can do more than the caller.';
REVOKE ALL ON FUNCTION @extschema@.role_to_change(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_role(id uuid, name @extschema@.label_input DEFAULT NULL, permissions text[] DEFAULT NULL)
RETURNS SETOF @extschema@.role
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT @extschema@.role_to_change(update_role.id) THEN
        RETURN;
    END IF;
    IF update_role.name IS NOT NULL THEN
        UPDATE @extschema@.roles r SET name = @extschema@.check_role_name(update_role.name) WHERE r.id = update_role.id;
    END IF;
    IF update_role.permissions IS NOT NULL THEN
        PERFORM @extschema@.give_permissions(update_role.id, update_role.permissions);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_role(update_role.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_role(uuid, @extschema@.label_input, text[]) IS
'Changes a role of the tenant''s own; its holders may do the new things at once. Errors: RG400 unknown permission; RG403 more than '
'the caller may; RG409 built_in, the name is taken or built in.';
REVOKE ALL ON FUNCTION @extschema@.update_role(uuid, @extschema@.label_input, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.delete_role(id uuid) RETURNS SETOF @extschema@.role
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    gone @extschema@.role;
BEGIN
    IF NOT @extschema@.role_to_change(delete_role.id) THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM @extschema@.users u WHERE u.role_id = delete_role.id) THEN
        PERFORM @extschema@.refuse(409, 'in_use', 'role is held by users', NULL, 'Give them another role first.');
    END IF;
    SELECT r.* INTO gone FROM @extschema@.get_role(delete_role.id) r;
    DELETE FROM @extschema@.roles r WHERE r.id = delete_role.id;
    RETURN NEXT gone;
END $$;
COMMENT ON FUNCTION @extschema@.delete_role(uuid) IS
'Removes a role of the tenant''s own that nobody holds. Errors: RG403 it can do more than the caller; RG409 built_in, in_use.';
REVOKE ALL ON FUNCTION @extschema@.delete_role(uuid) FROM PUBLIC;

INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, read_only, lane)
VALUES
    ('GET', '/api/permissions', 'list_permissions', 'roles.read', 'list', 200, NULL, 'Permissions', true, 'read'),
    ('GET', '/api/roles', 'list_roles', 'roles.read', 'list', 200, NULL, 'Roles', true, 'read'),
    ('POST', '/api/roles', 'create_role', 'roles.write', 'object', 201, '/api/roles/{id}', 'Role created', false, 'write'),
    ('GET', '/api/roles/{id}', 'get_role', 'roles.read', 'object', 200, NULL, 'Role', true, 'read'),
    ('DELETE', '/api/roles/{id}', 'delete_role', 'roles.write', 'object', 200, NULL, 'Role deleted', false, 'write');
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/roles/{id}', 'update_role', 'roles.write', 'object', 200, 'Role changed', '{name,permissions}', false, 'write');
