-- Coming in. Two guards may check the same person in at the same instant: the unique index on open visits decides, and the
-- loser is told what won. Site before visit: whoever takes both locks takes them in this order.

CREATE TYPE @extschema@.visit_trial AS (may_check_in boolean, state text, visitor_id uuid, site_id uuid,
    gate_id uuid, refusals jsonb);
COMMENT ON TYPE @extschema@.visit_trial IS
'What a walk-in would become: the state it would be born in, the visitor if known, and all reasons for a no (code, '
'message, detail, hint).';

CREATE TYPE @extschema@.visitor_state AS (
    id uuid, state text, open_visit__id uuid, open_visit__state text, open_visit__site_id uuid,
    open_visit__requested_at timestamptz,
    open_visit__checked_in_at timestamptz, may_check_in boolean, may_check_out boolean, refusals jsonb);
COMMENT ON TYPE @extschema@.visitor_state IS
'Where a visitor stands: state of the latest visit or none, the open visit, what may come next, and why not.';

-- A site's day has far fewer visits than there are numbers, so a random one is nearly always free and guards at several
-- gates never wait for each other, as a counter would make them. The unique index on site, day and number refuses doubles.
CREATE FUNCTION @extschema@.new_badge_no(attempt int) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN attempt <= 6 THEN 1000 + floor(random() * 9000)::int
        ELSE 100000 + floor(random() * 900000)::int END::text;
END $$;
COMMENT ON FUNCTION @extschema@.new_badge_no(int) IS
'A badge number to try: four digits, six when four were taken time and again.';
REVOKE ALL ON FUNCTION @extschema@.new_badge_no(int) FROM PUBLIC;

-- Residents are visited where they live; whoever works here may receive in any room of the site.
CREATE FUNCTION @extschema@.check_visited(site_id uuid, host_id uuid, unit_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    host record;
    unit record;
    elsewhere text[] := ARRAY[]::text[];
BEGIN
    SELECT h.kind::text AS kind, l.id, l.site_id INTO host
      FROM @extschema@.hosts h JOIN @extschema@.locations l ON l.tenant_id = h.tenant_id AND l.id = h.location_id
     WHERE h.tenant_id = @extschema@.current_tenant() AND h.id = check_visited.host_id;
    IF host.site_id <> check_visited.site_id THEN
        elsewhere := elsewhere || 'host_id'::text;
    END IF;
    SELECT l.site_id, ARRAY[l.id, f.id, f.parent_id] AS places INTO unit
      FROM @extschema@.locations l LEFT JOIN @extschema@.locations f ON f.tenant_id = l.tenant_id AND f.id = l.parent_id
     WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = check_visited.unit_id;
    IF unit.site_id <> check_visited.site_id THEN
        elsewhere := elsewhere || 'unit_id'::text;
    END IF;
    IF cardinality(elsewhere) > 0 THEN
        PERFORM @extschema@.refuse(422, 'other_site', 'who or what is visited is at another site', field => array_to_string(elsewhere, ','));
    END IF;
    PERFORM @extschema@.check_unit(check_visited.unit_id);
    IF host.kind = 'resident' AND host.id <> ALL (array_remove(unit.places, NULL)) THEN
        PERFORM @extschema@.refuse(422, 'host_unit', 'the resident lives in another unit', NULL,
            'Leave one of the two out, or take the unit of the host.', 'host_id,unit_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_visited(uuid, uuid, uuid) IS
'Refuses a host or a unit of another site, a unit that is a building or a floor, and a resident visited in a unit that is not '
'his or below where he lives. Employees receive anywhere at their site. Errors: RG422.';
REVOKE ALL ON FUNCTION @extschema@.check_visited(uuid, uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_visit(visitor__first_name @extschema@.person_name_input DEFAULT NULL,
    visitor__last_name @extschema@.person_name_input DEFAULT NULL, visitor__mobile @extschema@.mobile_input DEFAULT NULL,
    visitor__email @extschema@.email_input DEFAULT NULL, visitor__category_id uuid DEFAULT NULL,
    visitor__document_type @extschema@.document_type_input DEFAULT NULL,
    visitor__document_no @extschema@.document_number_input DEFAULT NULL,
    visitor_id uuid DEFAULT NULL, purpose @extschema@.label_input DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT 1, host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL,
    site_id uuid DEFAULT NULL,
    gate_id uuid DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    remark @extschema@.remark_input DEFAULT NULL)
RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid;
    gate uuid;
    person uuid := create_visit.visitor_id;
    brought record;
    is_new boolean := false;   -- this very request made the person: nobody else has seen that one yet, and nothing bounds it
    asks boolean;
    made uuid;
BEGIN
    create_visit.purpose := @extschema@.normalize_label(create_visit.purpose, 'purpose');
    IF create_visit.vehicle_no IS NOT NULL THEN
        create_visit.vehicle_no := @extschema@.normalize_vehicle_number(create_visit.vehicle_no, @extschema@.tenant_country());
    END IF;
    create_visit.remark := @extschema@.normalize_remark(create_visit.remark);
    PERFORM @extschema@.check_one_of(create_visit.visitor__first_name IS NOT NULL, create_visit.visitor_id IS NOT NULL,
        'visitor', 'visitor_id');
    PERFORM @extschema@.check_one_of(create_visit.purpose IS NOT NULL, create_visit.purpose_id IS NOT NULL,
        'purpose', 'purpose_id');
    site := @extschema@.site_of_request(create_visit.site_id, create_visit.gate_id);
    IF create_visit.gate_id IS NULL THEN
        gate := @extschema@.gate_or_only(NULL, site, 'in');
    END IF;
    -- inline_visitor asks for these too, but only when the references are judged: all wrong members are told first.
    IF person IS NULL AND create_visit.visitor__mobile IS NULL THEN
        PERFORM @extschema@.check_mobile_given(@extschema@.category_or_default(create_visit.visitor__category_id), NULL,
            'visitor__mobile');
    END IF;
    IF (create_visit.visitor__document_type IS NULL) <> (create_visit.visitor__document_no IS NULL) THEN
        PERFORM @extschema@.document_traits(create_visit.visitor__document_type, create_visit.visitor__document_no, 'visitor__');
    END IF;
    PERFORM @extschema@.check_references(site_id => create_visit.site_id, gate_id => create_visit.gate_id, purpose_id => create_visit.purpose_id,
        host_id => create_visit.host_id, unit_id => create_visit.unit_id, visitor_id => create_visit.visitor_id, visitor__category_id => create_visit.visitor__category_id);
    IF create_visit.gate_id IS NOT NULL THEN
        gate := @extschema@.gate_or_only(create_visit.gate_id, site, 'in');
    END IF;
    IF create_visit.host_id IS NOT NULL OR create_visit.unit_id IS NOT NULL THEN
        PERFORM @extschema@.check_visited(site, create_visit.host_id, create_visit.unit_id);
    END IF;
    IF person IS NULL THEN
        brought := @extschema@.inline_visitor(create_visit.visitor__first_name, create_visit.visitor__last_name,
            create_visit.visitor__mobile,
            create_visit.visitor__email, create_visit.visitor__category_id, create_visit.visitor__document_type,
                create_visit.visitor__document_no);
        person := brought.person;
        is_new := brought.is_new;
    END IF;
    -- The visit's foreign key takes this lock anyway; taken before the visitor is looked at, nobody is deleted in between.
    IF NOT is_new THEN
        PERFORM FROM @extschema@.visitors p WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = person FOR KEY SHARE;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor', NULL, NULL, 'visitor_id');
        END IF;
    END IF;
    PERFORM @extschema@.admit(CASE WHEN NOT is_new THEN person END, site, create_visit.group_size);
    asks := (SELECT s.ask_host FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = site);
    FOR attempt IN 1..20 LOOP
        INSERT INTO @extschema@.visits (site_id, visitor_id, state, requested_at, purpose_id, purpose, host_id, unit_id,
            group_size, gate_in_id, vehicle_no,
                                        badge_no, badge_day, remark)
        VALUES (site, person, CASE WHEN asks THEN 'pending' ELSE 'checked_in' END, now(), create_visit.purpose_id,
            create_visit.purpose, create_visit.host_id,
                create_visit.unit_id, coalesce(create_visit.group_size, 1), CASE WHEN NOT asks THEN gate END,
                    create_visit.vehicle_no,
                CASE WHEN NOT asks THEN @extschema@.new_badge_no(attempt) END, CASE
                    WHEN NOT asks THEN @extschema@.today_at(site) END, create_visit.remark)
        ON CONFLICT DO NOTHING RETURNING id INTO made;
        EXIT WHEN made IS NOT NULL;
        -- Another gate (or a trigger) was faster: its visit is seen from here on. Else the badge number was taken.
        PERFORM @extschema@.admit(person, site, create_visit.group_size);
    END LOOP;
    IF made IS NULL THEN
        PERFORM @extschema@.refuse(503, 'busy', 'could not find a free badge number');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) IS
'A walk-in: checks a visitor in, one brought along (visitor__...) or a known one (visitor_id); pending where the site '
'asks the host. Site and gate may be left out where there is one. Errors: RG400, RG404, RG409 inside already (with the '
'open visit), RG422 capacity, validity, gate; host or unit of another site, a resident with another unit. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.create_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, required,
    one_of, read_only, lane)
VALUES ('POST', '/api/visits', 'create_visit', 'visits.write', 'object', 201, '/api/visits/{id}', 'Visit created',
    '{visitor__first_name}', '{visitor|visitor_id,purpose|purpose_id}', false, 'write');

CREATE FUNCTION @extschema@.check_one_of(has_one boolean, has_other boolean, one text, other text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF has_one = has_other THEN
        PERFORM @extschema@.refuse(400, CASE WHEN has_one THEN 'conflict' ELSE 'required' END,
            format('exactly one of "%s" and "%s" is needed', one, other),
                                   NULL, NULL, one);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_one_of(boolean, boolean, text, text) IS
'What the route''s one_of says, for callers in SQL. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.check_one_of(boolean, boolean, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.site_of_request(site_id uuid, gate_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF site_of_request.site_id IS NOT NULL THEN
        RETURN site_of_request.site_id;
    ELSIF site_of_request.gate_id IS NOT NULL THEN
        RETURN (SELECT g.site_id FROM @extschema@.gates g WHERE g.tenant_id = @extschema@.current_tenant()
            AND g.id = site_of_request.gate_id);
    END IF;
    RETURN @extschema@.site_or_only(NULL);
END $$;
COMMENT ON FUNCTION @extschema@.site_of_request(uuid, uuid) IS
'The site that was named, else the gate''s, else the only one; whether they are there, check_references says. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.site_of_request(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.try_visit(visitor__first_name @extschema@.person_name_input DEFAULT NULL,
    visitor__last_name @extschema@.person_name_input DEFAULT NULL, visitor__mobile @extschema@.mobile_input DEFAULT NULL,
    visitor__email @extschema@.email_input DEFAULT NULL, visitor__category_id uuid DEFAULT NULL,
    visitor__document_type @extschema@.document_type_input DEFAULT NULL,
    visitor__document_no @extschema@.document_number_input DEFAULT NULL,
    visitor_id uuid DEFAULT NULL, purpose @extschema@.label_input DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT 1, host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL,
    site_id uuid DEFAULT NULL,
    gate_id uuid DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    remark @extschema@.remark_input DEFAULT NULL)
RETURNS SETOF @extschema@.visit_trial
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid;
    gate uuid;
    person uuid := try_visit.visitor_id;
    shown bytea;
    refusal @extschema@.checkin_refusal;
    refusals jsonb;
BEGIN
    PERFORM @extschema@.check_one_of(try_visit.visitor__first_name IS NOT NULL, try_visit.visitor_id IS NOT NULL,
        'visitor', 'visitor_id');
    site := @extschema@.site_of_request(try_visit.site_id, try_visit.gate_id);
    IF try_visit.gate_id IS NULL THEN
        gate := @extschema@.gate_or_only(NULL, site, 'in');
    END IF;
    IF person IS NULL THEN
        PERFORM @extschema@.check_mobile_given(@extschema@.category_or_default(try_visit.visitor__category_id),
            try_visit.visitor__mobile, 'visitor__mobile');
    END IF;
    shown := (@extschema@.document_traits(try_visit.visitor__document_type, try_visit.visitor__document_no, 'visitor__')).hash;
    PERFORM @extschema@.check_references(site_id => try_visit.site_id, gate_id => try_visit.gate_id, purpose_id => try_visit.purpose_id,
        host_id => try_visit.host_id, unit_id => try_visit.unit_id, visitor_id => try_visit.visitor_id, visitor__category_id => try_visit.visitor__category_id);
    IF try_visit.gate_id IS NOT NULL THEN
        gate := @extschema@.gate_or_only(try_visit.gate_id, site, 'in');
    END IF;
    PERFORM @extschema@.check_visited(site, try_visit.host_id, try_visit.unit_id);
    -- The columns' triggers refuse these in create_visit; here nothing is written.
    PERFORM @extschema@.normalize_label(try_visit.purpose, 'purpose'), @extschema@.normalize_remark(try_visit.remark),
            @extschema@.normalize_email(try_visit.visitor__email),
            @extschema@.normalize_vehicle_number(try_visit.vehicle_no, @extschema@.tenant_country());
    IF person IS NULL THEN
        person := @extschema@.find_inline_visitor(@extschema@.normalize_person_name(try_visit.visitor__first_name, 'visitor__first_name'),
            @extschema@.normalize_person_name(try_visit.visitor__last_name, 'visitor__last_name'),
            @extschema@.normalize_mobile(try_visit.visitor__mobile, @extschema@.tenant_country()));
    END IF;
    refusals := @extschema@.refusal_list(person, site, try_visit.group_size);
    IF try_visit.visitor_id IS NULL AND EXISTS (SELECT FROM @extschema@.visitors p
        WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = person AND p.document_hash <> shown) THEN
        refusal := @extschema@.document_refusal(person);
        refusals := jsonb_build_array(jsonb_build_object('code', refusal.code, 'message', refusal.message, 'detail', refusal.detail,
            'hint', refusal.hint)) || refusals;
    END IF;
    RETURN QUERY SELECT refusals = '[]', CASE WHEN refusals <> '[]' THEN NULL WHEN s.ask_host THEN 'pending'
        ELSE 'checked_in' END, person, site, gate, refusals
                   FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = site;
END $$;
COMMENT ON FUNCTION @extschema@.try_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) IS
'What create_visit would say to the same arguments, with all reasons for a no, and nothing written. The purpose may be '
'left out. Errors: RG400, RG404, RG422 as create_visit for gate, host and unit. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.try_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required,
    one_of, read_only, lane)
VALUES ('POST', '/api/visits/try', 'try_visit', 'visits.write', 'object', 200, 'Nothing was written',
    '{visitor__first_name}', '{visitor|visitor_id}', true, 'read');

CREATE FUNCTION @extschema@.get_visitor_status(id uuid, site_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.visitor_state
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site CONSTANT uuid := coalesce(get_visitor_status.site_id,
        (SELECT s.id FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.is_active
                          AND NOT EXISTS (SELECT FROM @extschema@.sites o WHERE o.tenant_id = @extschema@.current_tenant()
                              AND o.is_active AND o.id <> s.id)));
    refusals jsonb;
BEGIN
    PERFORM @extschema@.check_references(site_id => get_visitor_status.site_id);
    refusals := @extschema@.refusal_list(get_visitor_status.id, site);
    RETURN QUERY
    SELECT p.id, coalesce(latest.state, 'none'), o.id, o.state::text, o.site_id, o.requested_at, o.checked_in_at,
           refusals = '[]', coalesce(o.state = 'checked_in', false), refusals
      FROM @extschema@.visitors p
      LEFT JOIN @extschema@.visits o ON o.tenant_id = p.tenant_id AND o.visitor_id = p.id
          AND o.state IN ('pending', 'checked_in')
      LEFT JOIN LATERAL (SELECT v.state::text AS state FROM @extschema@.visits v
          WHERE v.tenant_id = @extschema@.current_tenant() AND v.visitor_id = p.id
                          ORDER BY v.requested_at DESC, v.id DESC LIMIT 1) latest ON true
     WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = get_visitor_status.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_visitor_status(uuid, uuid) IS
'Where a visitor stands: state of the latest visit or none, the open visit, may check in (at the site, if named or the '
'only one) or out, and all reasons for a no. Errors: RG404 visitor or site. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visitor_status(uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}/status', 'get_visitor_status', 'visits.read', 'object', 200, 'Status', true, 'read');
