-- Places and people of a site: the tree of locations (building, floor, unit), gates with a direction, hosts who receive
-- visitors. Nothing is deleted: visits point at these rows for as long as anybody looks back.

CREATE TYPE @extschema@.location AS (
    id uuid, site_id uuid, parent_id uuid, kind text, name text, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.location IS 'A building, a floor or a unit as the API answers it.';

CREATE TYPE @extschema@.gate AS (
    id uuid, site_id uuid, name text, direction text, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.gate IS 'A gate as the API answers it; direction is in, out or both.';

CREATE TYPE @extschema@.host AS (
    id uuid, kind text, first_name text, last_name text, mobile text, email text, location_id uuid, location_name text, user_id uuid,
    is_active boolean, created_at timestamptz, updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.host IS 'A resident or employee who receives visitors, as the API answers it.';

-- Locations --------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.location_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT l.id, l.site_id, l.parent_id, l.kind::text, l.name::text, l.is_active, l.created_at, l.updated_at,
           ARRAY[l.name::text, l.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id, place) JOIN @extschema@.locations l ON l.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.location_rows(uuid[], bigint) IS 'Rows of these locations in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.location_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_location(id uuid) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.location_rows(ARRAY[get_location.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_location(uuid) IS 'One location. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_location(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/locations/{id}', 'get_location', 'places.read', 'object', 200, 'Location', true, 'read');

CREATE FUNCTION @extschema@.list_locations(site uuid DEFAULT NULL, parent uuid DEFAULT NULL, kind @extschema@.location_kind_input DEFAULT NULL,
    is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT l.id, l.name::text AS name FROM @extschema@.locations l
         WHERE (list_locations.site IS NULL OR l.site_id = list_locations.site)
           AND (list_locations.parent IS NULL OR l.parent_id = list_locations.parent)
           AND (list_locations.kind IS NULL OR l.kind = list_locations.kind)
           AND (list_locations.is_active IS NULL OR l.is_active = list_locations.is_active)
           AND (after IS NULL OR (l.name::text, l.id) > (after[1], after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.location_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_locations(uuid, uuid, @extschema@.location_kind_input, boolean, int, int, text[], boolean) IS
'Locations by name, of a site, below a parent, of a kind. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_locations(uuid, uuid, @extschema@.location_kind_input, boolean, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/locations', 'list_locations', 'places.read', 'list', 200, 'Locations', true, 'read');

-- Kinds only descend (building, floor, unit) and neither kind nor site ever changes: so the tree can have no circle.
CREATE FUNCTION @extschema@.check_location_parent(kind text, site_id uuid, parent_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    parent record;
BEGIN
    IF check_location_parent.parent_id IS NOT NULL THEN
        SELECT l.kind::text AS kind, l.site_id INTO parent FROM @extschema@.locations l WHERE l.id = check_location_parent.parent_id AND l.is_active;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such location', NULL, NULL, 'parent_id');
        ELSIF parent.site_id <> check_location_parent.site_id THEN
            PERFORM @extschema@.refuse(422, 'other_site', 'the parent stands at another site', NULL, NULL, 'parent_id');
        END IF;
    END IF;
    IF NOT CASE check_location_parent.kind
               WHEN 'building' THEN check_location_parent.parent_id IS NULL
               WHEN 'floor' THEN coalesce(parent.kind = 'building', false)
               ELSE check_location_parent.parent_id IS NULL OR parent.kind IN ('building', 'floor') END THEN
        PERFORM @extschema@.refuse(422, 'location_kind', 'a location of this kind cannot stand there',
            'Buildings stand at the top, floors in a building, units in a floor, in a building or at the top.', NULL, 'parent_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_location_parent(text, uuid, uuid) IS
'Refuses a parent that a location of this kind cannot have. Errors: RG404, RG422.';
REVOKE ALL ON FUNCTION @extschema@.check_location_parent(text, uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_location(kind @extschema@.location_kind_input, name @extschema@.label_input, site_id uuid DEFAULT NULL,
    parent_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid := @extschema@.site_or_only(coalesce(create_location.site_id,
        (SELECT l.site_id FROM @extschema@.locations l WHERE l.id = create_location.parent_id)));
    made uuid;
BEGIN
    PERFORM @extschema@.check_location_parent(create_location.kind, site, create_location.parent_id);
    INSERT INTO @extschema@.locations (site_id, parent_id, kind, name)
    VALUES (site, create_location.parent_id, create_location.kind, create_location.name) RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_location(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another location there has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_location(@extschema@.location_kind_input, @extschema@.label_input, uuid, uuid) IS
'Adds a building, floor or unit; its site is the parent''s or the only one. Errors: RG404 parent or site, RG409 name, RG422 kind. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_location(@extschema@.location_kind_input, @extschema@.label_input, uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, read_only, lane)
VALUES ('POST', '/api/locations', 'create_location', 'places.write', 'object', 201, '/api/locations/{id}', 'Location created', false, 'write');

CREATE FUNCTION @extschema@.update_location(id uuid, name @extschema@.label_input DEFAULT NULL, parent_id uuid DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
    parent uuid;
BEGIN
    SELECT l.kind::text AS kind, l.site_id, l.parent_id INTO old FROM @extschema@.locations l WHERE l.id = update_location.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    parent := CASE WHEN 'parent_id' = ANY (given) THEN update_location.parent_id ELSE coalesce(update_location.parent_id, old.parent_id) END;
    IF parent IS DISTINCT FROM old.parent_id THEN
        PERFORM @extschema@.check_location_parent(old.kind, old.site_id, parent);
    END IF;
    UPDATE @extschema@.locations l SET
        name = CASE WHEN 'name' = ANY (given) THEN update_location.name ELSE coalesce(update_location.name, l.name) END,
        parent_id = parent,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_location.is_active ELSE coalesce(update_location.is_active, l.is_active) END
     WHERE l.id = update_location.id;
    RETURN QUERY SELECT * FROM @extschema@.get_location(update_location.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another location there has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_location(uuid, @extschema@.label_input, uuid, boolean, text[]) IS
'Renames or moves a location within its site. Errors: RG404, RG409 name, RG422 parent. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_location(uuid, @extschema@.label_input, uuid, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/locations/{id}', 'update_location', 'places.write', 'object', 200, 'Location changed', false, 'write');

CREATE FUNCTION @extschema@.delete_location(id uuid) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    inside int;
    hosts int;
BEGIN
    SELECT count(*) INTO inside FROM @extschema@.locations l WHERE l.parent_id = delete_location.id AND l.is_active;
    SELECT count(*) INTO hosts FROM @extschema@.hosts h WHERE h.location_id = delete_location.id AND h.is_active;
    IF inside > 0 OR hosts > 0 THEN
        PERFORM @extschema@.refuse(409, 'in_use', 'location is in use', NULL, 'Move or delete first what belongs to it.', NULL,
                                   jsonb_build_object('locations', inside, 'hosts', hosts));
    END IF;
    UPDATE @extschema@.locations l SET is_active = false WHERE l.id = delete_location.id;
    RETURN QUERY SELECT * FROM @extschema@.get_location(delete_location.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_location(uuid) IS
'Takes a location out of use; visits that name it keep it. Errors: RG404, RG409 it holds locations or hosts. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_location(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/locations/{id}', 'delete_location', 'places.write', 'object', 200, 'Location deleted', false, 'write');

-- Gates ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.gate_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT g.id, g.site_id, g.name::text, g.direction::text, g.is_active, g.created_at, g.updated_at, ARRAY[g.name::text, g.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id, place) JOIN @extschema@.gates g ON g.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.gate_rows(uuid[], bigint) IS 'Rows of these gates in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.gate_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_gate(id uuid) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.gate_rows(ARRAY[get_gate.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_gate(uuid) IS 'One gate. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_gate(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/gates/{id}', 'get_gate', 'places.read', 'object', 200, 'Gate', true, 'read');

CREATE FUNCTION @extschema@.list_gates(site uuid DEFAULT NULL, direction @extschema@.gate_direction_input DEFAULT NULL,
    is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT g.id, g.name::text AS name FROM @extschema@.gates g
         WHERE (list_gates.site IS NULL OR g.site_id = list_gates.site)
           AND (list_gates.direction IS NULL OR g.direction = list_gates.direction)
           AND (list_gates.is_active IS NULL OR g.is_active = list_gates.is_active)
           AND (after IS NULL OR (g.name::text, g.id) > (after[1], after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.gate_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_gates(uuid, @extschema@.gate_direction_input, boolean, int, int, text[], boolean) IS
'Gates by name, of a site, of a direction. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_gates(uuid, @extschema@.gate_direction_input, boolean, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/gates', 'list_gates', 'places.read', 'list', 200, 'Gates', true, 'read');

CREATE FUNCTION @extschema@.create_gate(name @extschema@.label_input, site_id uuid DEFAULT NULL,
    direction @extschema@.gate_direction_input DEFAULT 'both') RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    INSERT INTO @extschema@.gates (site_id, name, direction)
    VALUES (@extschema@.site_or_only(create_gate.site_id), create_gate.name, coalesce(create_gate.direction, 'both'))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another gate of the site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_gate(@extschema@.label_input, uuid, @extschema@.gate_direction_input) IS
'Adds a gate to a site (the only one, if none is named). Errors: RG404 site, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_gate(@extschema@.label_input, uuid, @extschema@.gate_direction_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, read_only, lane)
VALUES ('POST', '/api/gates', 'create_gate', 'places.write', 'object', 201, '/api/gates/{id}', 'Gate created', false, 'write');

CREATE FUNCTION @extschema@.update_gate(id uuid, name @extschema@.label_input DEFAULT NULL, direction @extschema@.gate_direction_input DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.gates g SET
        name = CASE WHEN 'name' = ANY (given) THEN update_gate.name ELSE coalesce(update_gate.name, g.name) END,
        direction = CASE WHEN 'direction' = ANY (given) THEN update_gate.direction ELSE coalesce(update_gate.direction, g.direction) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_gate.is_active ELSE coalesce(update_gate.is_active, g.is_active) END
     WHERE g.id = update_gate.id;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(update_gate.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another gate of the site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_gate(uuid, @extschema@.label_input, @extschema@.gate_direction_input, boolean, text[]) IS
'Changes a gate. Errors: RG404, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_gate(uuid, @extschema@.label_input, @extschema@.gate_direction_input, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/gates/{id}', 'update_gate', 'places.write', 'object', 200, 'Gate changed', false, 'write');

CREATE FUNCTION @extschema@.delete_gate(id uuid) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.gates g SET is_active = false WHERE g.id = delete_gate.id;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(delete_gate.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_gate(uuid) IS
'Takes a gate out of use; visits that came through it keep it. Errors: RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_gate(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/gates/{id}', 'delete_gate', 'places.write', 'object', 200, 'Gate deleted', false, 'write');

CREATE FUNCTION @extschema@.gate_or_only(gate_id uuid, site_id uuid, way text) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    gate record;
    found_gates uuid[];
BEGIN
    IF gate_or_only.gate_id IS NOT NULL THEN
        SELECT g.site_id, g.is_active, g.direction::text AS direction INTO gate FROM @extschema@.gates g WHERE g.id = gate_or_only.gate_id;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such gate', NULL, NULL, 'gate_id');
        ELSIF gate.site_id <> gate_or_only.site_id THEN
            PERFORM @extschema@.refuse(422, 'other_site', 'the gate stands at another site', NULL, NULL, 'gate_id');
        ELSIF NOT gate.is_active THEN
            PERFORM @extschema@.refuse(422, 'gate_inactive', 'the gate is out of use', NULL, NULL, 'gate_id');
        ELSIF gate.direction NOT IN (way, 'both') THEN
            PERFORM @extschema@.refuse(422, 'gate_direction', 'nobody goes this way through the gate', format('Its direction is "%s".', gate.direction),
                                       NULL, 'gate_id');
        END IF;
        RETURN gate_or_only.gate_id;
    END IF;
    found_gates := ARRAY(SELECT g.id FROM @extschema@.gates g WHERE g.site_id = gate_or_only.site_id AND g.is_active AND g.direction IN (way, 'both') LIMIT 2);
    IF cardinality(found_gates) = 1 THEN
        RETURN found_gates[1];
    END IF;
    -- Who comes in is seen by a guard at a known gate; who left may have been seen by nobody.
    IF cardinality(found_gates) > 1 AND way = 'in' THEN
        PERFORM @extschema@.refuse(400, 'required', 'a gate is needed', 'It may be left out only where the site has one gate for this way.', NULL, 'gate_id');
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.gate_or_only(uuid, uuid, text) IS
'The gate that was named, if it stands at the site and lets people go this way (in or out), else the only such gate, else null. Errors: RG400 several and
none named on the way in, RG404, RG422.';
REVOKE ALL ON FUNCTION @extschema@.gate_or_only(uuid, uuid, text) FROM PUBLIC;

-- Hosts ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.host_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT h.id, h.kind::text, h.first_name::text, h.last_name::text, h.mobile::text, h.email::text, h.location_id, l.name::text, h.user_id,
           h.is_active, h.created_at, h.updated_at, ARRAY[h.first_name::text, h.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id, place) JOIN @extschema@.hosts h ON h.id = wanted.id
      LEFT JOIN @extschema@.locations l ON l.id = h.location_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.host_rows(uuid[], bigint) IS 'Rows of these hosts in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.host_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_host(id uuid) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.host_rows(ARRAY[get_host.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_host(uuid) IS 'One host. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_host(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/hosts/{id}', 'get_host', 'places.read', 'object', 200, 'Host', true, 'read');

CREATE FUNCTION @extschema@.list_hosts(search @extschema@.search_input DEFAULT NULL, kind @extschema@.host_kind_input DEFAULT NULL,
    location uuid DEFAULT NULL, is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    needle text := @extschema@.fold_search(list_hosts.search);
    page uuid[];
    total bigint;
BEGIN
    -- A tenant has some thousand hosts at most: folding their names here is cheaper than one more stored column.
    WITH matching AS NOT MATERIALIZED (
        SELECT h.id, h.first_name::text AS name FROM @extschema@.hosts h
         WHERE (list_hosts.kind IS NULL OR h.kind = list_hosts.kind)
           AND (list_hosts.location IS NULL OR h.location_id = list_hosts.location)
           AND (list_hosts.is_active IS NULL OR h.is_active = list_hosts.is_active)
           AND (needle IS NULL OR @extschema@.contains(@extschema@.fold_search(concat_ws(' ', h.first_name, h.last_name)), needle))
           AND (after IS NULL OR (h.first_name::text, h.id) > (after[1], after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.host_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_hosts(@extschema@.search_input, @extschema@.host_kind_input, uuid, boolean, int, int, text[], boolean) IS
'Hosts by first name; search looks into the whole name without regard to case. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_hosts(@extschema@.search_input, @extschema@.host_kind_input, uuid, boolean, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/hosts', 'list_hosts', 'places.read', 'list', 200, 'Hosts', true, 'read');

CREATE FUNCTION @extschema@.create_host(kind @extschema@.host_kind_input, first_name @extschema@.person_name_input,
    last_name @extschema@.person_name_input DEFAULT NULL, mobile @extschema@.mobile_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL,
    location_id uuid DEFAULT NULL, user_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    PERFORM @extschema@.check_host_links(create_host.location_id, create_host.user_id);
    INSERT INTO @extschema@.hosts (kind, first_name, last_name, mobile, email, location_id, user_id)
    VALUES (create_host.kind, create_host.first_name, create_host.last_name, create_host.mobile, create_host.email, create_host.location_id, create_host.user_id)
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_host(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_host(@extschema@.host_kind_input, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input, uuid, uuid) IS
'Adds a resident or employee who receives visitors. Errors: RG400, RG404 location or user. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_host(@extschema@.host_kind_input, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input, uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, read_only, lane)
VALUES ('POST', '/api/hosts', 'create_host', 'places.write', 'object', 201, '/api/hosts/{id}', 'Host created', false, 'write');

CREATE FUNCTION @extschema@.check_host_links(location_id uuid, user_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_host_links.location_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.locations l WHERE l.id = check_host_links.location_id AND l.is_active) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such location', NULL, NULL, 'location_id');
    END IF;
    IF check_host_links.user_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.users u WHERE u.id = check_host_links.user_id) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such user', NULL, NULL, 'user_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_host_links(uuid, uuid) IS 'Refuses a location or user that is not there, by name. Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.check_host_links(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_host(id uuid, first_name @extschema@.person_name_input DEFAULT NULL, last_name @extschema@.person_name_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL, location_id uuid DEFAULT NULL, user_id uuid DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM @extschema@.check_host_links(update_host.location_id, update_host.user_id);
    UPDATE @extschema@.hosts h SET
        first_name = CASE WHEN 'first_name' = ANY (given) THEN update_host.first_name ELSE coalesce(update_host.first_name, h.first_name) END,
        last_name = CASE WHEN 'last_name' = ANY (given) THEN update_host.last_name ELSE coalesce(update_host.last_name, h.last_name) END,
        mobile = CASE WHEN 'mobile' = ANY (given) THEN update_host.mobile ELSE coalesce(update_host.mobile, h.mobile) END,
        email = CASE WHEN 'email' = ANY (given) THEN update_host.email ELSE coalesce(update_host.email, h.email) END,
        location_id = CASE WHEN 'location_id' = ANY (given) THEN update_host.location_id ELSE coalesce(update_host.location_id, h.location_id) END,
        user_id = CASE WHEN 'user_id' = ANY (given) THEN update_host.user_id ELSE coalesce(update_host.user_id, h.user_id) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_host.is_active ELSE coalesce(update_host.is_active, h.is_active) END
     WHERE h.id = update_host.id;
    RETURN QUERY SELECT * FROM @extschema@.get_host(update_host.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_host(uuid, @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.mobile_input,
    @extschema@.email_input, uuid, uuid, boolean, text[]) IS
'Changes a host. Errors: RG400, RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_host(uuid, @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.mobile_input,
    @extschema@.email_input, uuid, uuid, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/hosts/{id}', 'update_host', 'places.write', 'object', 200, 'Host changed', false, 'write');

CREATE FUNCTION @extschema@.delete_host(id uuid) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.hosts h SET is_active = false WHERE h.id = delete_host.id;
    RETURN QUERY SELECT * FROM @extschema@.get_host(delete_host.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_host(uuid) IS
'Takes a host out of use; visits keep the name. Errors: RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_host(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/hosts/{id}', 'delete_host', 'places.write', 'object', 200, 'Host deleted', false, 'write');
