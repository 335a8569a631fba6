-- Vocabularies of a tenant: categories of visitors and purposes (of a kind). Names are unique among the active ones
-- without regard to case: two spellings of one word would split every statistic. A purpose that is not listed stays free
-- text in its own column of the visit.

CREATE TYPE @extschema@.visitor_category AS (
    id uuid, name text, asks_mobile boolean, position int, is_default boolean, is_active boolean, created_at timestamptz,
    updated_at timestamptz,
    _cursor text[], _total bigint, _etag text);
COMMENT ON TYPE @extschema@.visitor_category IS
'A category of visitors as the API answers it; asks_mobile: its visitors must give a mobile.';

CREATE TYPE @extschema@.purpose AS (
    id uuid, kind text, name text, position int, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint, _etag text);
COMMENT ON TYPE @extschema@.purpose IS
'A purpose as the API answers it; kind: visit, gate_pass, student, staff or vehicle.';

-- Visitor categories -----------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.visitor_category_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.id, c.name::text, c.asks_mobile, c.position, c.is_default, c.is_active, c.created_at, c.updated_at,
           ARRAY[wanted.key, c.id::text], total,
               md5(c.id::text || extract(epoch FROM c.updated_at)::text)
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.visitor_categories c ON c.tenant_id = @extschema@.current_tenant() AND c.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.visitor_category_rows(uuid[], text[], bigint) IS
'Rows of these categories in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.visitor_category_rows(uuid[], text[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_visitor_category(id uuid) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.visitor_category_rows(ARRAY[get_visitor_category.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_visitor_category(uuid) IS
'One category of visitors. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_visitor_category(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitor-categories/{id}', 'get_visitor_category', 'vocabularies.read', 'object', 200,
    'Visitor category', true, 'read');

CREATE FUNCTION @extschema@.list_visitor_categories(is_active boolean DEFAULT true, page_limit int DEFAULT 21,
    page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false,
    sort @extschema@.vocabulary_sort_input DEFAULT 'position') RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];
    keys text[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT c.id, CASE ltrim(sort, '-') WHEN 'name' THEN c.name::text
                    WHEN 'position' THEN to_char(c.position, 'FM0000000000') || ' ' || c.name END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN c.created_at END AS moment
          FROM @extschema@.visitor_categories c
         WHERE c.tenant_id = @extschema@.current_tenant()
             AND (list_visitor_categories.is_active IS NULL OR c.is_active = list_visitor_categories.is_active))
    SELECT array_agg(p.id), array_agg(p.key), CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.visitor_category_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_visitor_categories(boolean, int, int, text[], boolean,
    @extschema@.vocabulary_sort_input) IS
'Categories of visitors in their order; is_active null shows deleted ones too. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_visitor_categories(boolean, int, int, text[], boolean,
    @extschema@.vocabulary_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitor-categories', 'list_visitor_categories', 'vocabularies.read', 'list', 200,
    'Visitor categories', true, 'read');

CREATE FUNCTION @extschema@.create_visitor_category(name @extschema@.label_input, asks_mobile boolean DEFAULT true,
    "position" @extschema@.position_input DEFAULT NULL,
    is_default boolean DEFAULT false) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_visitor_category.name := @extschema@.normalize_label(create_visitor_category.name);
    IF create_visitor_category.is_default THEN
        UPDATE @extschema@.visitor_categories c SET is_default = false
            WHERE c.tenant_id = @extschema@.current_tenant() AND c.is_default;
    END IF;
    INSERT INTO @extschema@.visitor_categories (name, asks_mobile, position, is_default)
    VALUES (create_visitor_category.name, coalesce(create_visitor_category.asks_mobile, true),
            coalesce(create_visitor_category.position,
                (SELECT coalesce(max(c.position), 0) + 1 FROM @extschema@.visitor_categories c
                WHERE c.tenant_id = @extschema@.current_tenant())),
            coalesce(create_visitor_category.is_default, false))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor_category(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another category has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_visitor_category(@extschema@.label_input, boolean, @extschema@.position_input, boolean) IS
'Adds a category of visitors, at the end unless a position is given; a new default takes the place of the old one. '
'Errors: RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_visitor_category(@extschema@.label_input, boolean, @extschema@.position_input, boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/visitor-categories', 'create_visitor_category', 'vocabularies.write', 'object', 201,
    '/api/visitor-categories/{id}',
        'Visitor category created', false, 'write');

CREATE FUNCTION @extschema@.update_visitor_category(id uuid, name @extschema@.label_input DEFAULT NULL,
    asks_mobile boolean DEFAULT NULL,
    "position" @extschema@.position_input DEFAULT NULL, is_default boolean DEFAULT NULL, is_active boolean DEFAULT NULL, given text[] DEFAULT NULL)
RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
BEGIN
    update_visitor_category.name := @extschema@.normalize_label(update_visitor_category.name);
    SELECT c.is_default, @extschema@.patched(given, 'is_default', update_visitor_category.is_default, c.is_default) AS will_be_default,
           @extschema@.patched(given, 'is_active', update_visitor_category.is_active, c.is_active) AS will_be_active INTO old
      FROM @extschema@.visitor_categories c
     WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = update_visitor_category.id FOR NO KEY UPDATE;
    -- Without a default a walk-in would belong to no category, and nothing would say whether it needs a mobile.
    IF old.is_default AND NOT old.will_be_default OR old.will_be_default AND NOT old.will_be_active THEN
        PERFORM @extschema@.refuse(409, 'default_category', 'there must be a default category that is in use',
            hint => 'Make another category the default first.', field => CASE WHEN old.will_be_default THEN 'is_active' ELSE 'is_default' END);
    END IF;
    IF update_visitor_category.is_default THEN
        UPDATE @extschema@.visitor_categories c SET is_default = false
            WHERE c.tenant_id = @extschema@.current_tenant() AND c.is_default
            AND c.id <> update_visitor_category.id;
    END IF;
    UPDATE @extschema@.visitor_categories c SET
        name = @extschema@.patched(given, 'name', update_visitor_category.name, c.name),
        asks_mobile = @extschema@.patched(given, 'asks_mobile', update_visitor_category.asks_mobile, c.asks_mobile),
        position = @extschema@.patched(given, 'position', update_visitor_category.position, c.position),
        is_default = @extschema@.patched(given, 'is_default', update_visitor_category.is_default, c.is_default),
        is_active = @extschema@.patched(given, 'is_active', update_visitor_category.is_active, c.is_active)
     WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = update_visitor_category.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor_category(update_visitor_category.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another category has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_visitor_category(uuid, @extschema@.label_input, boolean, @extschema@.position_input, boolean,
    boolean, text[]) IS
'Changes a category of visitors; a new default takes the place of the old one. Errors: RG404, RG409 name taken, RG409 the default one would '
'be none or out of use. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_visitor_category(uuid, @extschema@.label_input, boolean, @extschema@.position_input, boolean, boolean,
    text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/visitor-categories/{id}', 'update_visitor_category', 'vocabularies.write', 'object', 200,
    'Visitor category changed', '{name,asks_mobile,position,is_default,is_active}', false, 'write');

CREATE FUNCTION @extschema@.delete_visitor_category(id uuid) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT FROM @extschema@.visitor_categories c
                WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = delete_visitor_category.id AND c.is_default) THEN
        PERFORM @extschema@.refuse(409, 'default_category', 'the default category cannot be deleted',
            hint => 'Make another category the default first.');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.update_visitor_category(delete_visitor_category.id, is_active => false);
END $$;
COMMENT ON FUNCTION @extschema@.delete_visitor_category(uuid) IS
'Takes a category out of use; visitors who have it keep it. Errors: RG404, RG409 the default one. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_visitor_category(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/visitor-categories/{id}', 'delete_visitor_category', 'vocabularies.write', 'object', 200,
    'Visitor category deleted', false, 'write');

-- Purposes ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.purpose_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.id, p.kind::text, p.name::text, p.position, p.is_active, p.created_at, p.updated_at,
           ARRAY[wanted.key, p.id::text], total,
               md5(p.id::text || extract(epoch FROM p.updated_at)::text)
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.purposes p ON p.tenant_id = @extschema@.current_tenant() AND p.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.purpose_rows(uuid[], text[], bigint) IS
'Rows of these purposes in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.purpose_rows(uuid[], text[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_purpose(id uuid) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.purpose_rows(ARRAY[get_purpose.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_purpose(uuid) IS 'One purpose. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_purpose(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/purposes/{id}', 'get_purpose', 'vocabularies.read', 'object', 200, 'Purpose', true, 'read');

CREATE FUNCTION @extschema@.list_purposes(kind @extschema@.purpose_kind_input DEFAULT NULL, is_active boolean DEFAULT true,
    page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL, counting boolean DEFAULT false,
    sort @extschema@.vocabulary_sort_input DEFAULT 'position')
RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];
    keys text[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT p.id, CASE ltrim(sort, '-') WHEN 'name' THEN p.name::text
                    WHEN 'position' THEN p.kind COLLATE "C" || ' ' || to_char(p.position, 'FM0000000000') || ' ' || p.name END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN p.created_at END AS moment
          FROM @extschema@.purposes p
         WHERE p.tenant_id = @extschema@.current_tenant() AND (list_purposes.kind IS NULL OR p.kind = list_purposes.kind)
           AND (list_purposes.is_active IS NULL OR p.is_active = list_purposes.is_active))
    SELECT array_agg(p.id), array_agg(p.key), CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.purpose_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_purposes(@extschema@.purpose_kind_input, boolean, int, int, text[], boolean,
    @extschema@.vocabulary_sort_input) IS
'Purposes in their order, of a kind; is_active null shows deleted ones too. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_purposes(@extschema@.purpose_kind_input, boolean, int, int, text[], boolean,
    @extschema@.vocabulary_sort_input)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/purposes', 'list_purposes', 'vocabularies.read', 'list', 200, 'Purposes', true, 'read');

CREATE FUNCTION @extschema@.create_purpose(name @extschema@.label_input,
    kind @extschema@.purpose_kind_input DEFAULT 'visit', "position" @extschema@.position_input DEFAULT NULL)
RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_purpose.name := @extschema@.normalize_label(create_purpose.name);
    INSERT INTO @extschema@.purposes (kind, name, position)
    VALUES (coalesce(create_purpose.kind, 'visit'), create_purpose.name,
            coalesce(create_purpose.position,
                (SELECT coalesce(max(p.position), 0) + 1 FROM @extschema@.purposes p
                WHERE p.tenant_id = @extschema@.current_tenant() AND p.kind = coalesce(create_purpose.kind, 'visit'))))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_purpose(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another purpose of this kind has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_purpose(@extschema@.label_input, @extschema@.purpose_kind_input, @extschema@.position_input) IS
'Adds a purpose of a kind (visit unless said), at the end unless a position is given. Errors: RG409 name taken. Callers: '
'tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_purpose(@extschema@.label_input, @extschema@.purpose_kind_input, @extschema@.position_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/purposes', 'create_purpose', 'vocabularies.write', 'object', 201, '/api/purposes/{id}',
    'Purpose created', false, 'write');

CREATE FUNCTION @extschema@.update_purpose(id uuid, name @extschema@.label_input DEFAULT NULL, "position" @extschema@.position_input DEFAULT NULL,
    is_active boolean DEFAULT NULL,
    given text[] DEFAULT NULL) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    update_purpose.name := @extschema@.normalize_label(update_purpose.name);
    UPDATE @extschema@.purposes p SET
        name = @extschema@.patched(given, 'name', update_purpose.name, p.name),
        position = @extschema@.patched(given, 'position', update_purpose.position, p.position),
        is_active = @extschema@.patched(given, 'is_active', update_purpose.is_active, p.is_active)
     WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = update_purpose.id;
    RETURN QUERY SELECT * FROM @extschema@.get_purpose(update_purpose.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another purpose of this kind has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_purpose(uuid, @extschema@.label_input, @extschema@.position_input, boolean, text[]) IS
'Changes a purpose; its kind stays. Errors: RG404, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_purpose(uuid, @extschema@.label_input, @extschema@.position_input, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/purposes/{id}', 'update_purpose', 'vocabularies.write', 'object', 200,
    'Purpose changed', '{name,position,is_active}', false, 'write');

CREATE FUNCTION @extschema@.delete_purpose(id uuid) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.update_purpose(delete_purpose.id, is_active => false);
END $$;
COMMENT ON FUNCTION @extschema@.delete_purpose(uuid) IS
'Takes a purpose out of use; visits that have it keep it. Errors: RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_purpose(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/purposes/{id}', 'delete_purpose', 'vocabularies.write', 'object', 200,
    'Purpose deleted', false, 'write');
