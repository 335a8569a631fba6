-- Locations: the tree of buildings, floors and units at a site. Nothing is deleted: visitors, hosts and visits point at
-- these rows for as long as anybody looks back.

CREATE TYPE @extschema@.location AS (
    id uuid, site_id uuid, parent_id uuid, kind text, name text, is_active boolean, created_at timestamptz,
    updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.location IS 'A building, a floor or a unit as the API answers it.';

CREATE FUNCTION @extschema@.location_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT l.id, l.site_id, l.parent_id, l.kind::text, l.name::text, l.is_active, l.created_at, l.updated_at,
           ARRAY[wanted.key, l.id::text], total
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.locations l ON l.tenant_id = @extschema@.current_tenant() AND l.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.location_rows(uuid[], text[], bigint) IS
'Rows of these locations in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.location_rows(uuid[], text[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_location(id uuid) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.location_rows(ARRAY[get_location.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_location(uuid) IS 'One location. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_location(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/locations/{id}', 'get_location', 'places.read', 'object', 200, 'Location', true, 'read');

CREATE FUNCTION @extschema@.list_locations(site uuid DEFAULT NULL, parent uuid DEFAULT NULL,
    kind @extschema@.location_kind_input DEFAULT NULL,
    is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false,
    sort @extschema@.name_sort_input DEFAULT 'name') RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];
    keys text[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT l.id, CASE ltrim(sort, '-') WHEN 'name' THEN l.name::text END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN l.created_at END AS moment
          FROM @extschema@.locations l
         WHERE l.tenant_id = @extschema@.current_tenant()
             AND (list_locations.site IS NULL OR l.site_id = list_locations.site)
           AND (list_locations.parent IS NULL OR l.parent_id = list_locations.parent)
           AND (list_locations.kind IS NULL OR l.kind = list_locations.kind)
           AND (list_locations.is_active IS NULL OR l.is_active = list_locations.is_active))
    SELECT array_agg(p.id), array_agg(p.key), CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.location_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_locations(uuid, uuid, @extschema@.location_kind_input, boolean, int, int,
    text[], boolean,
    @extschema@.name_sort_input) IS
'Locations by name, of a site, below a parent, of a kind. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_locations(uuid, uuid, @extschema@.location_kind_input, boolean, int, int, text[],
    boolean, @extschema@.name_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/locations', 'list_locations', 'places.read', 'list', 200, 'Locations', true, 'read');

-- Kinds only descend (building, floor, unit) and neither kind nor site ever changes: so the tree can have no circle.
CREATE FUNCTION @extschema@.check_location_parent(kind text, site_id uuid, parent_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    parent_kind text;
    parent_site uuid;
    fits boolean;
BEGIN
    IF check_location_parent.parent_id IS NOT NULL THEN
        SELECT l.kind::text, l.site_id INTO parent_kind, parent_site FROM @extschema@.locations l
         WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = check_location_parent.parent_id AND l.is_active;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such location', NULL, NULL, 'parent_id');
        ELSIF parent_site <> check_location_parent.site_id THEN
            PERFORM @extschema@.refuse(422, 'other_site', 'the parent stands at another site', NULL, NULL, 'parent_id');
        END IF;
    END IF;
    fits := CASE check_location_parent.kind
                WHEN 'building' THEN check_location_parent.parent_id IS NULL
                WHEN 'floor' THEN parent_kind = 'building'
                ELSE check_location_parent.parent_id IS NULL OR parent_kind IN ('building', 'floor') END;
    IF fits IS NOT TRUE THEN
        PERFORM @extschema@.refuse(422, 'location_kind', 'a location of this kind cannot stand there',
            'Buildings stand at the top, floors in a building, units in a floor, in a building or at the top.',
                NULL, 'parent_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_location_parent(text, uuid, uuid) IS
'Refuses a parent that a location of this kind cannot have. Errors: RG404, RG422.';
REVOKE ALL ON FUNCTION @extschema@.check_location_parent(text, uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_unit(unit_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_unit.unit_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.locations l
            WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = check_unit.unit_id AND l.kind = 'unit') THEN
        PERFORM @extschema@.refuse(422, 'location_kind', 'this location is no unit', NULL,
            'Units are what people belong to and visit: flats, shops, departments; GET /api/locations?kind=unit lists them.', 'unit_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_unit(uuid) IS 'Refuses a building or a floor where a unit is asked for. Errors: RG422.';
REVOKE ALL ON FUNCTION @extschema@.check_unit(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_location(kind @extschema@.location_kind_input, name @extschema@.label_input,
    site_id uuid DEFAULT NULL,
    parent_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid;
    made uuid;
BEGIN
    create_location.name := @extschema@.normalize_label(create_location.name);
    site := coalesce(create_location.site_id, (SELECT l.site_id FROM @extschema@.locations l
        WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = create_location.parent_id));
    IF site IS NULL AND create_location.parent_id IS NULL THEN
        site := @extschema@.site_or_only(NULL);
    END IF;
    PERFORM @extschema@.check_references(site_id => create_location.site_id, parent_id => create_location.parent_id);
    PERFORM @extschema@.check_location_parent(create_location.kind, site, create_location.parent_id);
    INSERT INTO @extschema@.locations (site_id, parent_id, kind, name)
    VALUES (site, create_location.parent_id, create_location.kind, create_location.name) RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_location(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another location there has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_location(@extschema@.location_kind_input, @extschema@.label_input, uuid, uuid) IS
'Adds a building, floor or unit; its site is the parent''s or the only one. Errors: RG404 parent or site, RG409 name, '
'RG422 kind. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_location(@extschema@.location_kind_input, @extschema@.label_input, uuid, uuid)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/locations', 'create_location', 'places.write', 'object', 201, '/api/locations/{id}',
    'Location created', false, 'write');

CREATE FUNCTION @extschema@.update_location(id uuid, name @extschema@.label_input DEFAULT NULL, parent_id uuid DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
    parent uuid;
BEGIN
    update_location.name := @extschema@.normalize_label(update_location.name);
    SELECT l.kind::text AS kind, l.site_id, l.parent_id INTO old FROM @extschema@.locations l
        WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = update_location.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    parent := @extschema@.patched(given, 'parent_id', update_location.parent_id, old.parent_id);
    IF parent IS DISTINCT FROM old.parent_id THEN
        PERFORM @extschema@.check_location_parent(old.kind, old.site_id, parent);
    END IF;
    UPDATE @extschema@.locations l SET
        name = @extschema@.patched(given, 'name', update_location.name, l.name),
        parent_id = parent,
        is_active = @extschema@.patched(given, 'is_active', update_location.is_active, l.is_active)
     WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = update_location.id;
    RETURN QUERY SELECT * FROM @extschema@.get_location(update_location.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another location there has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_location(uuid, @extschema@.label_input, uuid, boolean, text[]) IS
'Renames or moves a location within its site. Errors: RG404, RG409 name, RG422 parent. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_location(uuid, @extschema@.label_input, uuid, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/locations/{id}', 'update_location', 'places.write', 'object', 200,
    'Location changed', '{name,is_active}', false, 'write');

CREATE FUNCTION @extschema@.delete_location(id uuid) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    inside int;
    hosts int;
BEGIN
    SELECT count(*) INTO inside FROM @extschema@.locations l WHERE l.tenant_id = @extschema@.current_tenant()
        AND l.parent_id = delete_location.id AND l.is_active;
    SELECT count(*) INTO hosts FROM @extschema@.hosts h WHERE h.tenant_id = @extschema@.current_tenant()
        AND h.location_id = delete_location.id AND h.is_active;
    IF inside > 0 OR hosts > 0 THEN
        PERFORM @extschema@.refuse(409, 'in_use', 'location is in use', NULL,
            'Move or delete first what belongs to it.', NULL,
                                   jsonb_build_object('locations', inside, 'hosts', hosts));
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.update_location(delete_location.id, is_active => false);
END $$;
COMMENT ON FUNCTION @extschema@.delete_location(uuid) IS
'Takes a location out of use; visits that name it keep it. Errors: RG404, RG409 it holds locations or hosts. Callers: '
'tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_location(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/locations/{id}', 'delete_location', 'places.write', 'object', 200,
    'Location deleted', false, 'write');
