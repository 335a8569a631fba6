-- Gates of a site, each with a direction: in, out or both. A request may leave its gate out where only one goes that way.

CREATE TYPE @extschema@.gate AS (
    id uuid, site_id uuid, name text, direction text, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.gate IS 'A gate as the API answers it; direction is in, out or both.';

CREATE FUNCTION @extschema@.gate_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT g.id, g.site_id, g.name::text, g.direction::text, g.is_active, g.created_at, g.updated_at,
        ARRAY[wanted.key, g.id::text], total
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.gates g ON g.tenant_id = @extschema@.current_tenant() AND g.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.gate_rows(uuid[], text[], bigint) IS
'Rows of these gates in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.gate_rows(uuid[], text[], bigint) FROM PUBLIC;

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
    counting boolean DEFAULT false,
    sort @extschema@.name_sort_input DEFAULT 'name') RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];
    keys text[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT g.id, CASE ltrim(sort, '-') WHEN 'name' THEN g.name::text END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN g.created_at END AS moment
          FROM @extschema@.gates g
         WHERE g.tenant_id = @extschema@.current_tenant() AND (list_gates.site IS NULL OR g.site_id = list_gates.site)
           AND (list_gates.direction IS NULL OR g.direction = list_gates.direction)
           AND (list_gates.is_active IS NULL OR g.is_active = list_gates.is_active))
    SELECT array_agg(p.id), array_agg(p.key), CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.gate_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_gates(uuid, @extschema@.gate_direction_input, boolean, int, int, text[], boolean,
    @extschema@.name_sort_input) IS
'Gates by name, of a site, of a direction. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_gates(uuid, @extschema@.gate_direction_input, boolean, int, int, text[], boolean,
    @extschema@.name_sort_input)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/gates', 'list_gates', 'places.read', 'list', 200, 'Gates', true, 'read');

CREATE FUNCTION @extschema@.create_gate(name @extschema@.label_input, site_id uuid DEFAULT NULL,
    direction @extschema@.gate_direction_input DEFAULT 'both') RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site CONSTANT uuid := @extschema@.site_or_only(create_gate.site_id);
    made uuid;
BEGIN
    create_gate.name := @extschema@.normalize_label(create_gate.name);
    PERFORM @extschema@.checks_done();
    INSERT INTO @extschema@.gates (site_id, name, direction)
    VALUES (site, create_gate.name, coalesce(create_gate.direction, 'both'))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another gate of the site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_gate(@extschema@.label_input, uuid, @extschema@.gate_direction_input) IS
'Adds a gate to a site (the only one, if none is named). Errors: RG404 site, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_gate(@extschema@.label_input, uuid, @extschema@.gate_direction_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/gates', 'create_gate', 'places.write', 'object', 201, '/api/gates/{id}',
    'Gate created', false, 'write');

CREATE FUNCTION @extschema@.update_gate(id uuid, name @extschema@.label_input DEFAULT NULL,
    direction @extschema@.gate_direction_input DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    update_gate.name := @extschema@.normalize_label(update_gate.name);
    UPDATE @extschema@.gates g SET
        name = @extschema@.patched(given, 'name', update_gate.name, g.name),
        direction = @extschema@.patched(given, 'direction', update_gate.direction, g.direction),
        is_active = @extschema@.patched(given, 'is_active', update_gate.is_active, g.is_active)
     WHERE g.tenant_id = @extschema@.current_tenant() AND g.id = update_gate.id;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(update_gate.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another gate of the site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_gate(uuid, @extschema@.label_input, @extschema@.gate_direction_input,
    boolean, text[]) IS
'Changes a gate. Errors: RG404, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_gate(uuid, @extschema@.label_input, @extschema@.gate_direction_input, boolean,
    text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/gates/{id}', 'update_gate', 'places.write', 'object', 200, 'Gate changed', '{name,direction,is_active}', false, 'write');

CREATE FUNCTION @extschema@.delete_gate(id uuid) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.update_gate(delete_gate.id, is_active => false);
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
        SELECT g.site_id, g.is_active, g.direction::text AS direction INTO gate FROM @extschema@.gates g
            WHERE g.tenant_id = @extschema@.current_tenant() AND g.id = gate_or_only.gate_id;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such gate', NULL, NULL, 'gate_id');
        ELSIF gate.site_id <> gate_or_only.site_id THEN
            PERFORM @extschema@.refuse(422, 'other_site', 'the gate stands at another site', NULL, NULL, 'gate_id');
        ELSIF NOT gate.is_active THEN
            PERFORM @extschema@.refuse(422, 'gate_inactive', 'the gate is out of use', NULL, NULL, 'gate_id');
        ELSIF gate.direction NOT IN (way, 'both') THEN
            PERFORM @extschema@.refuse(422, 'gate_direction', 'nobody goes this way through the gate',
                format('Its direction is "%s".', gate.direction),
                                       NULL, 'gate_id');
        END IF;
        RETURN gate_or_only.gate_id;
    END IF;
    found_gates := ARRAY(SELECT g.id FROM @extschema@.gates g WHERE g.tenant_id = @extschema@.current_tenant()
        AND g.site_id = gate_or_only.site_id AND g.is_active
        AND g.direction IN (way, 'both') LIMIT 2);
    IF cardinality(found_gates) = 1 THEN
        RETURN found_gates[1];
    END IF;
    -- Who comes in is seen by a guard at a known gate; who left may have been seen by nobody.
    IF cardinality(found_gates) > 1 AND way = 'in' THEN
        PERFORM @extschema@.refuse(400, 'required', 'a gate is needed',
            'It may be left out only where the site has one gate for this way.', NULL, 'gate_id');
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.gate_or_only(uuid, uuid, text) IS
'The gate that was named, if it stands at the site and lets people go this way (in or out), else the only such gate, else '
'null. Errors: RG400 several and none named on the way in, RG404, RG422.';
REVOKE ALL ON FUNCTION @extschema@.gate_or_only(uuid, uuid, text) FROM PUBLIC;
