-- Hosts: residents and employees who receive visitors; they belong to a location and may have a user of their own.

CREATE TYPE @extschema@.host AS (
    id uuid, kind text, first_name text, last_name text, mobile text, email text, location_id uuid,
    location_name text, user_id uuid,
    is_active boolean, created_at timestamptz, updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.host IS 'A resident or employee who receives visitors, as the API answers it.';

CREATE FUNCTION @extschema@.host_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT h.id, h.kind::text, h.first_name::text, h.last_name::text, h.mobile::text, h.email::text, h.location_id,
        l.name::text, h.user_id,
           h.is_active, h.created_at, h.updated_at, ARRAY[wanted.key, h.id::text], total
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.hosts h ON h.tenant_id = @extschema@.current_tenant() AND h.id = wanted.id
      LEFT JOIN @extschema@.locations l ON l.tenant_id = h.tenant_id AND l.id = h.location_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.host_rows(uuid[], text[], bigint) IS
'Rows of these hosts in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.host_rows(uuid[], text[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_host(id uuid) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.host_rows(ARRAY[get_host.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_host(uuid) IS 'One host. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_host(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/hosts/{id}', 'get_host', 'places.read', 'object', 200, 'Host', true, 'read');

CREATE FUNCTION @extschema@.list_hosts(search @extschema@.search_input DEFAULT NULL,
    kind @extschema@.host_kind_input DEFAULT NULL,
    location uuid DEFAULT NULL, is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false,
    sort @extschema@.host_sort_input DEFAULT 'firstName') RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    needle text := @extschema@.fold_search(list_hosts.search);
    ids uuid[];
    keys text[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT h.id, CASE ltrim(sort, '-') WHEN 'firstName' THEN h.first_name::text WHEN 'name' THEN h.search_name END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN h.created_at END AS moment
          FROM @extschema@.hosts h
         WHERE h.tenant_id = @extschema@.current_tenant() AND (list_hosts.kind IS NULL OR h.kind = list_hosts.kind)
           AND (list_hosts.location IS NULL OR h.location_id = list_hosts.location)
           AND (list_hosts.is_active IS NULL OR h.is_active = list_hosts.is_active)
           AND (needle IS NULL OR @extschema@.contains(h.search_name, needle)))
    SELECT array_agg(p.id), array_agg(p.key), CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.host_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_hosts(@extschema@.search_input, @extschema@.host_kind_input, uuid, boolean, int, int,
    text[], boolean,
    @extschema@.host_sort_input) IS
'Hosts by first name; search looks into the whole name without regard to case. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_hosts(@extschema@.search_input, @extschema@.host_kind_input, uuid, boolean, int,
    int, text[], boolean,
    @extschema@.host_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/hosts', 'list_hosts', 'places.read', 'list', 200, 'Hosts', true, 'read');

CREATE FUNCTION @extschema@.create_host(kind @extschema@.host_kind_input, first_name @extschema@.person_name_input,
    last_name @extschema@.person_name_input DEFAULT NULL, mobile @extschema@.mobile_input DEFAULT NULL,
    email @extschema@.email_input DEFAULT NULL,
    location_id uuid DEFAULT NULL, user_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_host.first_name := @extschema@.normalize_person_name(create_host.first_name);
    create_host.last_name := @extschema@.normalize_person_name(create_host.last_name, 'last_name');
    create_host.mobile := @extschema@.normalize_mobile(create_host.mobile, @extschema@.tenant_country());
    create_host.email := @extschema@.normalize_email(create_host.email);
    PERFORM @extschema@.check_references(location_id => create_host.location_id, user_id => create_host.user_id);
    INSERT INTO @extschema@.hosts (kind, first_name, last_name, mobile, email, location_id, user_id)
    VALUES (create_host.kind, create_host.first_name, create_host.last_name, create_host.mobile, create_host.email,
        create_host.location_id, create_host.user_id)
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_host(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_host(@extschema@.host_kind_input, @extschema@.person_name_input,
    @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input, uuid, uuid) IS
'Adds a resident or employee who receives visitors; location_id: where they live or work, a unit, a floor or a building. Errors: RG400, RG404 location or user. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_host(@extschema@.host_kind_input, @extschema@.person_name_input,
    @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input, uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/hosts', 'create_host', 'places.write', 'object', 201, '/api/hosts/{id}',
    'Host created', false, 'write');

CREATE FUNCTION @extschema@.update_host(id uuid, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL, location_id uuid DEFAULT NULL,
    user_id uuid DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    update_host.first_name := @extschema@.normalize_person_name(update_host.first_name);
    update_host.last_name := @extschema@.normalize_person_name(update_host.last_name, 'last_name');
    update_host.mobile := @extschema@.normalize_mobile(update_host.mobile, @extschema@.tenant_country());
    update_host.email := @extschema@.normalize_email(update_host.email);
    PERFORM @extschema@.check_references(location_id => update_host.location_id, user_id => update_host.user_id);
    UPDATE @extschema@.hosts h SET
        first_name = @extschema@.patched(given, 'first_name', update_host.first_name, h.first_name),
        last_name = @extschema@.patched(given, 'last_name', update_host.last_name, h.last_name),
        mobile = @extschema@.patched(given, 'mobile', update_host.mobile, h.mobile),
        email = @extschema@.patched(given, 'email', update_host.email, h.email),
        location_id = @extschema@.patched(given, 'location_id', update_host.location_id, h.location_id),
        user_id = @extschema@.patched(given, 'user_id', update_host.user_id, h.user_id),
        is_active = @extschema@.patched(given, 'is_active', update_host.is_active, h.is_active)
     WHERE h.tenant_id = @extschema@.current_tenant() AND h.id = update_host.id;
    RETURN QUERY SELECT * FROM @extschema@.get_host(update_host.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_host(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, uuid, boolean, text[]) IS
'Changes a host. Errors: RG400, RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_host(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, uuid, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/hosts/{id}', 'update_host', 'places.write', 'object', 200, 'Host changed', '{first_name,is_active}', false, 'write');

CREATE FUNCTION @extschema@.delete_host(id uuid) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.update_host(delete_host.id, is_active => false);
END $$;
COMMENT ON FUNCTION @extschema@.delete_host(uuid) IS
'Takes a host out of use; visits keep the name. Errors: RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_host(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/hosts/{id}', 'delete_host', 'places.write', 'object', 200, 'Host deleted', false, 'write');
