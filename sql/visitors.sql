-- Visitors: persons known to a tenant. Registered ones have a number, a code and their mobile to themselves (families
-- share phones, so only among active registered ones); unregistered ones come from the gate. Identity documents are kept as a
-- masked number and a keyed hash; the number itself is never stored, answered or put into an error.

CREATE TYPE @extschema@.visitor AS (
    id uuid, visitor_type text, first_name text, last_name text, mobile text, email text, category_id uuid,
    category_name text,
    document_type text, document_masked text, vehicle_no text, unit_id uuid, unit_name text, registration_no text,
    security_code text,
    valid_from date, valid_until date, is_inside boolean, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.visitor IS
'A visitor as the API answers it; document_masked is all that is known of the number, security_code is null in lists.';

-- Reading ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.visitor_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL,
    with_code boolean DEFAULT false) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.id, v.visitor_type::text, v.first_name::text, v.last_name::text, v.mobile::text, v.email::text,
        v.category_id, c.name::text,
           v.document_type::text, v.document_masked::text, v.vehicle_no::text, v.unit_id, u.name::text,
               v.registration_no::text,
           CASE WHEN with_code THEN v.security_code::text END, v.valid_from, v.valid_until,
           EXISTS (SELECT FROM @extschema@.visits i WHERE i.tenant_id = @extschema@.current_tenant() AND i.visitor_id = v.id
               AND i.state = 'checked_in'),
           v.is_active, v.created_at, v.updated_at, ARRAY[wanted.key, v.id::text], total
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.visitors v ON v.tenant_id = @extschema@.current_tenant() AND v.id = wanted.id
      LEFT JOIN @extschema@.visitor_categories c ON c.tenant_id = v.tenant_id AND c.id = v.category_id
      LEFT JOIN @extschema@.locations u ON u.tenant_id = v.tenant_id AND u.id = v.unit_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.visitor_rows(uuid[], text[], bigint, boolean) IS
'Rows of these visitors in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.visitor_rows(uuid[], text[], bigint, boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_visitor(id uuid) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.visitor_rows(ARRAY[get_visitor.id], with_code => true);
END $$;
COMMENT ON FUNCTION @extschema@.get_visitor(uuid) IS
'One visitor, deleted ones too (is_active false). Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visitor(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}', 'get_visitor', 'visitors.read', 'object', 200, 'Visitor', true, 'read');

CREATE FUNCTION @extschema@.mobile_or_null(text text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.normalize_mobile(mobile_or_null.text, @extschema@.tenant_country());
EXCEPTION WHEN SQLSTATE 'RG400' THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.mobile_or_null(text) IS 'The mobile as E.164, null if it is none in the tenant''s country.';
REVOKE ALL ON FUNCTION @extschema@.mobile_or_null(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.vehicle_or_null(text text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.normalize_vehicle_number(vehicle_or_null.text, @extschema@.tenant_country());
EXCEPTION WHEN SQLSTATE 'RG400' THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.vehicle_or_null(text) IS 'The vehicle number as it is stored, null if it is none in the tenant''s country.';
REVOKE ALL ON FUNCTION @extschema@.vehicle_or_null(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.list_visitors(search @extschema@.search_input DEFAULT NULL, category uuid DEFAULT NULL,
    type @extschema@.visitor_type_input DEFAULT NULL, mobile @extschema@.mobile_input DEFAULT NULL,
    vehicle @extschema@.vehicle_number_input DEFAULT NULL,
    inside boolean DEFAULT NULL, is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false,
    sort @extschema@.name_sort_input DEFAULT '-createdAt') RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    needle text := @extschema@.fold_search(list_visitors.search);
    its_mobile text := @extschema@.normalize_mobile(list_visitors.mobile, @extschema@.tenant_country());
    its_vehicle text := @extschema@.normalize_vehicle_number(list_visitors.vehicle, @extschema@.tenant_country());
    found_mobile text;
    found_registration text;
    found_vehicle text;
    is_inside boolean := list_visitors.inside;
    people uuid[];
    ids uuid[];
    keys text[];
    total bigint;
BEGIN
    -- No name has a digit: who types one looks for a number, which an index finds whole. Some registration numbers have none.
    IF list_visitors.search ~ '\d' OR list_visitors.search ~* '^\s*V-[A-Z]{8}\s*$' THEN
        found_registration := (SELECT v.registration_no FROM @extschema@.visitors v
            WHERE v.tenant_id = @extschema@.current_tenant() AND v.registration_no = upper(btrim(list_visitors.search)));
        IF found_registration IS NULL AND list_visitors.search !~ '[[:alpha:]]' THEN
            found_mobile := @extschema@.mobile_or_null(list_visitors.search);
        ELSIF found_registration IS NULL AND list_visitors.search ~ '\d' THEN
            found_vehicle := @extschema@.vehicle_or_null(list_visitors.search);
        END IF;
        IF coalesce(found_registration, found_mobile, found_vehicle) IS NOT NULL THEN
            needle := NULL;
        END IF;
    END IF;
    -- Of names and numbers the planner knows nothing: it would walk through all people in the order of the list. So whom a name, a
    -- number or an open visit finds is looked for first. Where it finds many, the page is near the beginning of the list. CASE keeps the
    -- planner from the index of names, which is of no use for short ones (they have no trigram), nor for a page where many match.
    IF coalesce(its_mobile, found_mobile, found_registration, found_vehicle, its_vehicle) IS NOT NULL THEN
        people := ARRAY(SELECT v.id FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
           AND (its_mobile IS NULL OR v.mobile = its_mobile)
           AND (found_mobile IS NULL OR v.mobile = found_mobile)
           AND (found_registration IS NULL OR v.registration_no = found_registration)
           AND (found_vehicle IS NULL OR v.vehicle_no = found_vehicle)
           AND (its_vehicle IS NULL OR v.vehicle_no = its_vehicle));
    ELSE
        IF list_visitors.inside THEN
            people := ARRAY(SELECT i.visitor_id FROM @extschema@.visits i
                WHERE i.tenant_id = @extschema@.current_tenant() AND i.state = 'checked_in' LIMIT 10001);
            is_inside := CASE WHEN cardinality(people) > 10000 THEN true END;
        ELSIF needle IS NOT NULL THEN
            people := ARRAY(SELECT v.id FROM @extschema@.visitors v
                WHERE v.tenant_id = @extschema@.current_tenant() AND (length(needle) < 3 OR @extschema@.contains(v.search_name, needle))
                  AND CASE WHEN @extschema@.contains(v.search_name, needle) THEN true END LIMIT 10001);
        END IF;
        IF cardinality(people) > 10000 THEN
            people := NULL;
        END IF;
    END IF;
    WITH matching AS NOT MATERIALIZED (   -- the filter stands once; known people are sorted, not met in an index of the order
        SELECT v.id, v.search_name, CASE ltrim(sort, '-') WHEN 'name' THEN CASE WHEN people IS NULL THEN v.search_name ELSE v.search_name || '' END END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN CASE WHEN people IS NULL THEN v.created_at ELSE v.created_at + '0'::interval END END AS moment
          FROM @extschema@.visitors v
         WHERE v.tenant_id = @extschema@.current_tenant()
           AND (people IS NULL OR v.id = ANY (people))
           AND (needle IS NULL OR CASE WHEN @extschema@.contains(v.search_name, needle) THEN true END)
           AND (list_visitors.category IS NULL OR v.category_id = list_visitors.category)
           AND (list_visitors.type IS NULL OR v.visitor_type = list_visitors.type)
           AND (is_inside IS NULL OR is_inside
                = EXISTS (SELECT FROM @extschema@.visits i WHERE i.tenant_id = @extschema@.current_tenant()
                    AND i.visitor_id = v.id AND i.state = 'checked_in'))
           AND (list_visitors.is_active IS NULL OR v.is_active = list_visitors.is_active))
    SELECT array_agg(p.id), array_agg(p.key), 
           CASE WHEN counting THEN (SELECT count(*) FROM (
               SELECT FROM matching m WHERE people IS NOT NULL OR needle IS NULL OR length(needle) < 3
                   OR @extschema@.contains(m.search_name, needle) LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.visitor_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_visitors(@extschema@.search_input, uuid, @extschema@.visitor_type_input,
    @extschema@.mobile_input,
    @extschema@.vehicle_number_input, boolean, boolean, int, int, text[], boolean,
    @extschema@.name_sort_input) IS
'Visitors, the newest first. search looks into the whole name without regard to case; with a digit in it, it is a '
'registration number, a mobile or a vehicle number, whole and in any spelling. mobile and vehicle in any spelling; inside: with an open visit that is checked in. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.list_visitors(@extschema@.search_input, uuid, @extschema@.visitor_type_input,
    @extschema@.mobile_input,
    @extschema@.vehicle_number_input, boolean, boolean, int, int, text[], boolean,
    @extschema@.name_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors', 'list_visitors', 'visitors.read', 'list', 200, 'Visitors', true, 'read');

-- Writing ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.create_visitor(first_name @extschema@.person_name_input,
    last_name @extschema@.person_name_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL, category_id uuid DEFAULT NULL,
    visitor_type @extschema@.visitor_type_input DEFAULT 'registered',
    document_type @extschema@.document_type_input DEFAULT NULL,
    document_no @extschema@.document_number_input DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    unit_id uuid DEFAULT NULL,
    valid_from date DEFAULT NULL, valid_until date DEFAULT NULL) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    category uuid;
    document record;
    registers boolean := coalesce(create_visitor.visitor_type, 'registered') = 'registered';
    made uuid;
BEGIN
    create_visitor.first_name := @extschema@.normalize_person_name(create_visitor.first_name);
    create_visitor.last_name := @extschema@.normalize_person_name(create_visitor.last_name, 'last_name');
    create_visitor.mobile := @extschema@.normalize_mobile(create_visitor.mobile, @extschema@.tenant_country());
    create_visitor.email := @extschema@.normalize_email(create_visitor.email);
    create_visitor.vehicle_no := @extschema@.normalize_vehicle_number(create_visitor.vehicle_no,
        @extschema@.tenant_country());
    PERFORM @extschema@.check_validity(create_visitor.valid_from, create_visitor.valid_until);
    category := @extschema@.category_or_default(create_visitor.category_id);
    PERFORM @extschema@.check_mobile_given(category, create_visitor.mobile);
    SELECT * INTO document FROM @extschema@.document_traits(create_visitor.document_type, create_visitor.document_no);
    PERFORM @extschema@.check_references(category_id => create_visitor.category_id, unit_id => create_visitor.unit_id);
    PERFORM @extschema@.check_unit(create_visitor.unit_id);
    -- Two desks may register one mobile at once: the unique index decides, the next statement reads who has it.
    INSERT INTO @extschema@.visitors (visitor_type, first_name, last_name, mobile, email, category_id, document_type,
        document_masked, document_hash,
                                      vehicle_no, unit_id, registration_no, security_code, valid_from, valid_until)
    VALUES (coalesce(create_visitor.visitor_type, 'registered'), create_visitor.first_name, create_visitor.last_name,
        create_visitor.mobile,
            create_visitor.email, category, create_visitor.document_type, document.masked, document.hash,
                create_visitor.vehicle_no,
            create_visitor.unit_id, CASE WHEN registers THEN 'V-' || @extschema@.random_code(8) END,
            CASE WHEN registers THEN @extschema@.new_security_code() END, create_visitor.valid_from,
                create_visitor.valid_until)
    ON CONFLICT DO NOTHING RETURNING id INTO made;
    IF made IS NULL THEN
        PERFORM @extschema@.refuse_taken_mobile(create_visitor.mobile);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_visitor(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.visitor_type_input, @extschema@.document_type_input,
    @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date) IS
'Registers a person (or notes an unregistered one). Errors: RG400, RG404 category or unit, RG422 no unit, RG409 mobile taken, with its '
'holder. Callers: receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.create_visitor(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.visitor_type_input, @extschema@.document_type_input,
    @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/visitors', 'create_visitor', 'visitors.write', 'object', 201, '/api/visitors/{id}',
    'Visitor created', false, 'write');

CREATE FUNCTION @extschema@.refuse_open_visit(visitor_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    open_visit jsonb;
BEGIN
    -- A check-in holds the visitor's row (FOR KEY SHARE) from before it looks at is_active: after this lock either its visit is
    -- seen below, or it will see the visitor as deleted.
    PERFORM FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
        AND v.id = refuse_open_visit.visitor_id FOR UPDATE;
    open_visit := @extschema@.open_visit_of(refuse_open_visit.visitor_id);
    IF open_visit IS NOT NULL THEN
        PERFORM @extschema@.refuse(409, 'open_visit', 'visitor has an open visit', NULL,
            'Check the visitor out, or cancel the visit, first.', NULL, open_visit);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.refuse_open_visit(uuid) IS
'Refuses when the visitor has an open visit: nobody inside may vanish from the roll call. Errors: RG409 with that visit '
'as data.';
REVOKE ALL ON FUNCTION @extschema@.refuse_open_visit(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_visitor(id uuid, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL, mobile @extschema@.mobile_input DEFAULT NULL,
    email @extschema@.email_input DEFAULT NULL,
    category_id uuid DEFAULT NULL, document_type @extschema@.document_type_input DEFAULT NULL,
    document_no @extschema@.document_number_input DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    unit_id uuid DEFAULT NULL,
    valid_from date DEFAULT NULL, valid_until date DEFAULT NULL, is_active boolean DEFAULT NULL, given text[] DEFAULT NULL)
RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
    document record;
    changes_document boolean := update_visitor.document_type IS NOT NULL OR update_visitor.document_no IS NOT NULL
                                OR coalesce(given && '{document_type,document_no}', false);
BEGIN
    update_visitor.first_name := @extschema@.normalize_person_name(update_visitor.first_name);
    update_visitor.last_name := @extschema@.normalize_person_name(update_visitor.last_name, 'last_name');
    update_visitor.mobile := @extschema@.normalize_mobile(update_visitor.mobile, @extschema@.tenant_country());
    update_visitor.email := @extschema@.normalize_email(update_visitor.email);
    update_visitor.vehicle_no := @extschema@.normalize_vehicle_number(update_visitor.vehicle_no,
        @extschema@.tenant_country());
    SELECT v.mobile::text AS mobile, v.document_type::text AS document_type, v.is_active,
           @extschema@.patched(given, 'mobile', update_visitor.mobile, v.mobile) AS new_mobile,
           @extschema@.patched(given, 'category_id', update_visitor.category_id, v.category_id) AS new_category_id, v.category_id,
           @extschema@.patched(given, 'valid_from', update_visitor.valid_from, v.valid_from) AS new_from,
           @extschema@.patched(given, 'valid_until', update_visitor.valid_until, v.valid_until) AS new_until
      INTO old
      FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
          AND v.id = update_visitor.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM @extschema@.check_validity(old.new_from, old.new_until);
    IF (old.new_mobile, old.new_category_id) IS DISTINCT FROM (old.mobile, old.category_id) THEN
        PERFORM @extschema@.check_mobile_given(old.new_category_id, old.new_mobile);
    END IF;
    SELECT * INTO document FROM @extschema@.document_traits(
        CASE WHEN update_visitor.document_no IS NULL THEN update_visitor.document_type
            ELSE coalesce(update_visitor.document_type, old.document_type) END,
        update_visitor.document_no);
    PERFORM @extschema@.check_references(category_id => update_visitor.category_id, unit_id => update_visitor.unit_id);
    PERFORM @extschema@.check_unit(update_visitor.unit_id);
    IF update_visitor.is_active = false AND old.is_active THEN
        PERFORM @extschema@.refuse_open_visit(update_visitor.id);
    END IF;
    UPDATE @extschema@.visitors v SET
        first_name = @extschema@.patched(given, 'first_name', update_visitor.first_name, v.first_name),
        last_name = @extschema@.patched(given, 'last_name', update_visitor.last_name, v.last_name),
        mobile = old.new_mobile,
        email = @extschema@.patched(given, 'email', update_visitor.email, v.email),
        category_id = old.new_category_id,
        document_type = CASE WHEN NOT changes_document THEN v.document_type
                             WHEN update_visitor.document_no IS NOT NULL
                                 THEN coalesce(update_visitor.document_type, v.document_type) END,
        document_masked = CASE WHEN changes_document THEN document.masked ELSE v.document_masked END,
        document_hash = CASE WHEN changes_document THEN document.hash ELSE v.document_hash END,
        vehicle_no = @extschema@.patched(given, 'vehicle_no', update_visitor.vehicle_no, v.vehicle_no),
        unit_id = @extschema@.patched(given, 'unit_id', update_visitor.unit_id, v.unit_id),
        valid_from = old.new_from, valid_until = old.new_until,
        is_active = @extschema@.patched(given, 'is_active', update_visitor.is_active, v.is_active)
     WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = update_visitor.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(update_visitor.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse_taken_mobile(coalesce(update_visitor.mobile, old.mobile), update_visitor.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_visitor(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.document_type_input, @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date,
    boolean, text[]) IS
'Changes a visitor; is_active true brings a deleted one back if the mobile is still free. Errors: RG400, RG404, RG422 no unit, RG409 '
'mobile taken or an open visit when deactivating. Callers: receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.update_visitor(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.document_type_input, @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date,
    boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/visitors/{id}', 'update_visitor', 'visitors.write', 'object', 200,
    'Visitor changed', '{first_name,is_active}', false, 'write');

CREATE FUNCTION @extschema@.delete_visitor(id uuid) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM @extschema@.refuse_open_visit(delete_visitor.id);
    UPDATE @extschema@.visitors v SET is_active = false WHERE v.tenant_id = @extschema@.current_tenant()
        AND v.id = delete_visitor.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(delete_visitor.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_visitor(uuid) IS
'Takes a visitor out of use and frees the mobile; the history stays. Errors: RG404, RG409 open visit. Callers: '
'receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_visitor(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/visitors/{id}', 'delete_visitor', 'visitors.write', 'object', 200,
    'Visitor deleted', false, 'write');

CREATE FUNCTION @extschema@.register_visitor(id uuid, mobile @extschema@.mobile_input DEFAULT NULL,
    email @extschema@.email_input DEFAULT NULL,
    category_id uuid DEFAULT NULL, document_type @extschema@.document_type_input DEFAULT NULL,
    document_no @extschema@.document_number_input DEFAULT NULL,
    vehicle_no @extschema@.vehicle_number_input DEFAULT NULL, unit_id uuid DEFAULT NULL, valid_from date DEFAULT NULL,
    valid_until date DEFAULT NULL)
RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
BEGIN
    SELECT v.visitor_type::text AS visitor_type, v.is_active, v.mobile::text AS mobile INTO old
      FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
          AND v.id = register_visitor.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF old.visitor_type = 'registered' OR NOT old.is_active THEN
        PERFORM @extschema@.refuse(409, 'visitor_type', CASE WHEN old.is_active THEN 'visitor is registered already'
            ELSE 'visitor is deleted' END, NULL, NULL, NULL,
            jsonb_build_object('id', register_visitor.id, 'visitorType', old.visitor_type, 'isActive', old.is_active));
    END IF;
    PERFORM @extschema@.update_visitor(register_visitor.id, mobile => register_visitor.mobile,
        email => register_visitor.email,
        category_id => register_visitor.category_id, document_type => register_visitor.document_type,
            document_no => register_visitor.document_no,
        vehicle_no => register_visitor.vehicle_no, unit_id => register_visitor.unit_id,
            valid_from => register_visitor.valid_from,
        valid_until => register_visitor.valid_until);
    UPDATE @extschema@.visitors v SET visitor_type = 'registered', registration_no = 'V-' || @extschema@.random_code(8),
                                      security_code = @extschema@.new_security_code()
                                          WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = register_visitor.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(register_visitor.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse_taken_mobile(coalesce(register_visitor.mobile, old.mobile), register_visitor.id);
END $$;
COMMENT ON FUNCTION @extschema@.register_visitor(uuid, @extschema@.mobile_input, @extschema@.email_input, uuid,
    @extschema@.document_type_input,
    @extschema@.document_number_input, @extschema@.vehicle_number_input, uuid, date, date) IS
'Makes an unregistered visitor a registered one, with number, code and whatever else is known now; the visits stay. '
'Errors: RG400, RG404, RG409 mobile taken or registered already. Callers: receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.register_visitor(uuid, @extschema@.mobile_input, @extschema@.email_input, uuid,
    @extschema@.document_type_input,
    @extschema@.document_number_input, @extschema@.vehicle_number_input, uuid, date, date) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visitors/{id}/register', 'register_visitor', 'visitors.write', 'object', 200,
    'Visitor registered', false, 'write');
