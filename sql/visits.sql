-- Visits: one entry of one visitor at one site. Two guards may check the same person in at the same instant: the unique
-- index on open visits decides, and the loser is told what won. Every reason why somebody may not come in stands in
-- checkin_refusals, which check-in, dry run and status share.

CREATE TYPE @extschema@.visit AS (
    id uuid, state text, site_id uuid, site_name text,
    visitor__id uuid, visitor__visitor_type text, visitor__first_name text, visitor__last_name text, visitor__mobile text,
    visitor__category_id uuid, visitor__registration_no text,
    purpose_id uuid, purpose text, host__id uuid, host__first_name text, host__last_name text, unit__id uuid, unit__name text,
    group_size int, vehicle_no text, badge_no text, requested_at timestamptz, checked_in_at timestamptz, checked_out_at timestamptz,
    checked_in_by uuid, checked_out_by uuid, gate_in_id uuid, gate_out_id uuid, remark text, is_forced boolean, is_automatic boolean,
    updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.visit IS
'A visit as the API answers it, with its visitor inside; purpose is the word of the vocabulary or the free text.';

CREATE TYPE @extschema@.checkin_refusal AS (status int, code text, message text, hint text, data jsonb);
COMMENT ON TYPE @extschema@.checkin_refusal IS 'One reason why somebody may not come in, with the HTTP status it refuses with.';

CREATE TYPE @extschema@.visit_trial AS (may_check_in boolean, state text, visitor_id uuid, site_id uuid, gate_id uuid, refusals jsonb);
COMMENT ON TYPE @extschema@.visit_trial IS
'What a walk-in would become: the state it would be born in, the visitor if known, and all reasons for a no (code, message, hint).';

CREATE TYPE @extschema@.visitor_state AS (
    id uuid, state text, open_visit__id uuid, open_visit__state text, open_visit__site_id uuid, open_visit__requested_at timestamptz,
    open_visit__checked_in_at timestamptz, may_check_in boolean, may_check_out boolean, refusals jsonb);
COMMENT ON TYPE @extschema@.visitor_state IS
'Where a visitor stands: state of the latest visit or none, the open visit, what may come next, and why not.';

-- Reading ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.visit_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.id, v.state::text, v.site_id, s.name::text,
           p.id, p.visitor_type::text, p.first_name::text, p.last_name::text, p.mobile::text, p.category_id, p.registration_no::text,
           v.purpose_id, coalesce(v.purpose::text, w.name::text), h.id, h.first_name::text, h.last_name::text, u.id, u.name::text,
           v.group_size::int, v.vehicle_no::text, v.badge_no::text, v.requested_at, v.checked_in_at, v.checked_out_at,
           v.checked_in_by, v.checked_out_by, v.gate_in_id, v.gate_out_id, v.remark::text, v.is_forced, v.is_automatic,
           v.updated_at, ARRAY[v.requested_at::text, v.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id, place) JOIN @extschema@.visits v ON v.id = wanted.id
      JOIN @extschema@.visitors p ON p.id = v.visitor_id
      JOIN @extschema@.sites s ON s.id = v.site_id
      LEFT JOIN @extschema@.purposes w ON w.id = v.purpose_id
      LEFT JOIN @extschema@.hosts h ON h.id = v.host_id
      LEFT JOIN @extschema@.locations u ON u.id = v.unit_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.visit_rows(uuid[], bigint) IS 'Rows of these visits in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.visit_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_visit(id uuid) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.visit_rows(ARRAY[get_visit.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_visit(uuid) IS 'One visit. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visit(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits/{id}', 'get_visit', 'visits.read', 'object', 200, 'Visit', true, 'read');

CREATE FUNCTION @extschema@.list_visits(state @extschema@.visit_state_input DEFAULT NULL, "from" @extschema@.moment_input DEFAULT NULL,
    "to" @extschema@.moment_input DEFAULT NULL, site uuid DEFAULT NULL, gate uuid DEFAULT NULL, purpose uuid DEFAULT NULL, host uuid DEFAULT NULL,
    unit uuid DEFAULT NULL, visitor uuid DEFAULT NULL, vehicle @extschema@.vehicle_number_input DEFAULT NULL,
    search @extschema@.search_input DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    begins timestamptz := @extschema@.moment_start(list_visits."from", @extschema@.zone_of(list_visits.site), 'from');
    ends timestamptz := @extschema@.moment_end(list_visits."to", @extschema@.zone_of(list_visits.site), 'to');
    its_vehicle text := @extschema@.normalize_vehicle_number(list_visits.vehicle, @extschema@.tenant_country());
    needle text := @extschema@.fold_search(list_visits.search);
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (   -- the filter stands once, for page and total
        SELECT v.id, v.requested_at FROM @extschema@.visits v
         WHERE (list_visits.state IS NULL OR v.state = list_visits.state)
           AND (begins IS NULL OR v.requested_at >= begins)
           AND (ends IS NULL OR v.requested_at < ends)
           AND (list_visits.site IS NULL OR v.site_id = list_visits.site)
           AND (list_visits.gate IS NULL OR v.gate_in_id = list_visits.gate OR v.gate_out_id = list_visits.gate)
           AND (list_visits.purpose IS NULL OR v.purpose_id = list_visits.purpose)
           AND (list_visits.host IS NULL OR v.host_id = list_visits.host)
           AND (list_visits.unit IS NULL OR v.unit_id = list_visits.unit)
           AND (list_visits.visitor IS NULL OR v.visitor_id = list_visits.visitor)
           AND (its_vehicle IS NULL OR v.vehicle_no = its_vehicle)
           AND (needle IS NULL OR v.visitor_id IN (SELECT p.id FROM @extschema@.visitors p WHERE @extschema@.contains(p.search_name, needle)))
           AND (after IS NULL OR (v.requested_at, v.id) < (after[1]::timestamptz, after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.requested_at DESC, m.id DESC LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.visit_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_visits(@extschema@.visit_state_input, @extschema@.moment_input, @extschema@.moment_input, uuid, uuid, uuid, uuid, uuid,
    uuid, @extschema@.vehicle_number_input, @extschema@.search_input, int, int, text[], boolean) IS
'Visits, the latest asked for first. from and to bound requested_at: a date is a day of the site (else of the tenant), to inclusive; an instant as to is
exclusive. gate: in or out; search: in the visitor''s name. Errors: RG400. Callers: guard, receptionist, admin, auditor.';
REVOKE ALL ON FUNCTION @extschema@.list_visits(@extschema@.visit_state_input, @extschema@.moment_input, @extschema@.moment_input, uuid, uuid, uuid, uuid, uuid,
    uuid, @extschema@.vehicle_number_input, @extschema@.search_input, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits', 'list_visits', 'visits.read', 'list', 200, 'Visits', true, 'read');

CREATE FUNCTION @extschema@.list_current_visits(site uuid DEFAULT NULL, gate uuid DEFAULT NULL, host uuid DEFAULT NULL, unit uuid DEFAULT NULL,
    search @extschema@.search_input DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.list_visits(state => 'checked_in', site => list_current_visits.site, gate => list_current_visits.gate,
        host => list_current_visits.host, unit => list_current_visits.unit, search => list_current_visits.search,
        page_limit => list_current_visits.page_limit, page_offset => list_current_visits.page_offset, after => list_current_visits.after,
        counting => list_current_visits.counting);
END $$;
COMMENT ON FUNCTION @extschema@.list_current_visits(uuid, uuid, uuid, uuid, @extschema@.search_input, int, int, text[], boolean) IS
'Who is inside now, whatever day they came. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.list_current_visits(uuid, uuid, uuid, uuid, @extschema@.search_input, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits/current', 'list_current_visits', 'visits.read', 'list', 200, 'Inside now', true, 'read');

CREATE FUNCTION @extschema@.visitor_visits(id uuid, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM @extschema@.visitors p WHERE p.id = visitor_visits.id;
    IF NOT FOUND THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.list_visits(visitor => visitor_visits.id, page_limit => visitor_visits.page_limit,
        page_offset => visitor_visits.page_offset, after => visitor_visits.after, counting => visitor_visits.counting);
END $$;
COMMENT ON FUNCTION @extschema@.visitor_visits(uuid, int, int, text[], boolean) IS
'The visits of one visitor, the latest first. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.visitor_visits(uuid, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}/visits', 'visitor_visits', 'visits.read', 'list', 200, 'Visits of the visitor', true, 'read');

CREATE FUNCTION @extschema@.open_visit_of(visitor_id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_build_object('id', v.id, 'state', v.state, 'siteId', v.site_id,
                                      'since', @extschema@.rfc3339(coalesce(v.checked_in_at, v.requested_at)))
              FROM @extschema@.visits v WHERE v.visitor_id = open_visit_of.visitor_id AND v.state IN ('pending', 'checked_in'));
END $$;
COMMENT ON FUNCTION @extschema@.open_visit_of(uuid) IS 'The visitor''s open visit as data of a refusal (id, state, siteId, since), or null.';
REVOKE ALL ON FUNCTION @extschema@.open_visit_of(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.rfc3339(moment timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN rtrim(rtrim(to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z';
END $$;
COMMENT ON FUNCTION @extschema@.rfc3339(timestamptz) IS 'A moment in UTC as the API writes it, for data of refusals.';
REVOKE ALL ON FUNCTION @extschema@.rfc3339(timestamptz) FROM PUBLIC;

-- Who may come in --------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.checkin_refusals(visitor_id uuid, site_id uuid, group_size int DEFAULT 1, visit_id uuid DEFAULT NULL)
RETURNS SETOF @extschema@.checkin_refusal
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visitor record;
    site record;
    open_visit jsonb;
    today date := (now() AT TIME ZONE @extschema@.zone_of(checkin_refusals.site_id))::date;
    inside bigint;
BEGIN
    open_visit := @extschema@.open_visit_of(checkin_refusals.visitor_id);
    IF open_visit ->> 'id' IS DISTINCT FROM checkin_refusals.visit_id::text AND open_visit IS NOT NULL THEN
        RETURN NEXT (409, 'open_visit', CASE open_visit ->> 'state' WHEN 'pending' THEN 'visitor is expected already' ELSE 'visitor is inside already' END,
                     'Check the visitor out, or cancel the visit, first.', open_visit)::@extschema@.checkin_refusal;
    END IF;
    IF EXISTS (SELECT FROM @extschema@.tenants t WHERE t.id = @extschema@.current_tenant() AND t.state <> 'active') THEN
        RETURN NEXT (423, 'tenant_suspended', 'tenant is suspended', NULL, NULL)::@extschema@.checkin_refusal;
    END IF;
    SELECT p.is_active, p.valid_from, p.valid_until INTO visitor FROM @extschema@.visitors p WHERE p.id = checkin_refusals.visitor_id;
    IF FOUND THEN
        IF NOT visitor.is_active THEN
            RETURN NEXT (422, 'visitor_inactive', 'visitor is deleted', 'Make the visitor active again first.', NULL)::@extschema@.checkin_refusal;
        END IF;
        IF visitor.valid_from > today THEN
            RETURN NEXT (422, 'visitor_not_valid_yet', 'visitor may not come in yet', format('From %s on.', visitor.valid_from), NULL)::@extschema@.checkin_refusal;
        END IF;
        IF visitor.valid_until < today THEN
            RETURN NEXT (422, 'visitor_expired', 'visitor may not come in any more', format('%s was the last day.', visitor.valid_until), NULL)::@extschema@.checkin_refusal;
        END IF;
    END IF;
    SELECT s.is_active, s.capacity INTO site FROM @extschema@.sites s WHERE s.id = checkin_refusals.site_id;
    IF FOUND AND NOT site.is_active THEN
        RETURN NEXT (422, 'site_inactive', 'site is closed', NULL, NULL)::@extschema@.checkin_refusal;
    END IF;
    IF site.capacity IS NOT NULL THEN
        SELECT coalesce(sum(v.group_size), 0) INTO inside FROM @extschema@.visits v
         WHERE v.site_id = checkin_refusals.site_id AND v.state = 'checked_in' AND v.id IS DISTINCT FROM checkin_refusals.visit_id;
        IF inside + coalesce(checkin_refusals.group_size, 1) > site.capacity THEN
            RETURN NEXT (422, 'capacity_reached', 'site is full', format('%s of %s places are taken.', inside, site.capacity),
                         jsonb_build_object('capacity', site.capacity, 'inside', inside))::@extschema@.checkin_refusal;
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.checkin_refusals(uuid, uuid, int, uuid) IS
'All reasons why this visitor (null: a new one) may not come in at this site now with such a group; none: may. visit_id names the visit that is being checked
in, which does not count against itself. Check-in, dry run and status share it.';
REVOKE ALL ON FUNCTION @extschema@.checkin_refusals(uuid, uuid, int, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.refusal_list(visitor_id uuid, site_id uuid, group_size int DEFAULT 1, visit_id uuid DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('code', r.code, 'message', r.message, 'hint', r.hint)), '[]')
              FROM @extschema@.checkin_refusals(refusal_list.visitor_id, refusal_list.site_id, refusal_list.group_size, refusal_list.visit_id) r);
END $$;
COMMENT ON FUNCTION @extschema@.refusal_list(uuid, uuid, int, uuid) IS 'The refusals of a check-in as the API answers them.';
REVOKE ALL ON FUNCTION @extschema@.refusal_list(uuid, uuid, int, uuid) FROM PUBLIC;

-- Under read committed a count sees only what was committed when its own statement began: the lock comes first, in a
-- statement of its own, and the count of checkin_refusals later. Without capacity nobody waits for anybody.
CREATE FUNCTION @extschema@.admit(visitor_id uuid, site_id uuid, group_size int, visit_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    refusal record;
BEGIN
    PERFORM FROM @extschema@.sites s WHERE s.id = admit.site_id AND s.capacity IS NOT NULL FOR NO KEY UPDATE;
    SELECT * INTO refusal FROM @extschema@.checkin_refusals(admit.visitor_id, admit.site_id, admit.group_size, admit.visit_id) LIMIT 1;
    IF FOUND THEN
        PERFORM @extschema@.refuse(refusal.status, refusal.code, refusal.message, NULL, refusal.hint, NULL, refusal.data);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.admit(uuid, uuid, int, uuid) IS
'Raises the first reason against a check-in; where the site has a capacity, check-ins there go one after the other. Errors: RG409, RG422, RG423.';
REVOKE ALL ON FUNCTION @extschema@.admit(uuid, uuid, int, uuid) FROM PUBLIC;

-- Coming in --------------------------------------------------------------------------------------------------------

-- The active visitor with the same mobile and the same name, whatever the case; a registered one before an unregistered one.
CREATE FUNCTION @extschema@.find_inline_visitor(first_name text, last_name text, mobile text) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT p.id FROM @extschema@.visitors p
             WHERE p.mobile = @extschema@.normalize_mobile(find_inline_visitor.mobile, @extschema@.tenant_country()) AND p.is_active
               AND p.search_name = @extschema@.fold_search(concat_ws(' ', @extschema@.normalize_person_name(find_inline_visitor.first_name),
                                                                     @extschema@.normalize_person_name(find_inline_visitor.last_name)))
             ORDER BY p.visitor_type = 'registered' DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION @extschema@.find_inline_visitor(text, text, text) IS
'The active visitor with this mobile and this name, if there is one. Without a mobile nobody is the same person.';
REVOKE ALL ON FUNCTION @extschema@.find_inline_visitor(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.inline_visitor(first_name text, last_name text, mobile text, email text, category_id uuid, document_type text,
    document_no text) RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    category uuid := @extschema@.category_or_default(inline_visitor.category_id, 'visitor__category_id');
    document record;
    person uuid;
    known record;
BEGIN
    PERFORM @extschema@.check_mobile_given(category, inline_visitor.mobile, 'visitor__mobile');
    SELECT * INTO document FROM @extschema@.document_traits(inline_visitor.document_type, inline_visitor.document_no, 'visitor__');
    person := @extschema@.find_inline_visitor(inline_visitor.first_name, inline_visitor.last_name, inline_visitor.mobile);
    IF person IS NULL THEN
        -- Two taps on one button are one person: the unique index decides, the next statement finds the other tap's row.
        INSERT INTO @extschema@.visitors (visitor_type, first_name, last_name, mobile, email, category_id, document_type, document_masked, document_hash)
        VALUES ('unregistered', inline_visitor.first_name, inline_visitor.last_name, inline_visitor.mobile, inline_visitor.email, category,
                inline_visitor.document_type, document.masked, document.hash)
        ON CONFLICT DO NOTHING RETURNING id INTO person;
        IF person IS NOT NULL THEN
            RETURN person;
        END IF;
        person := @extschema@.find_inline_visitor(inline_visitor.first_name, inline_visitor.last_name, inline_visitor.mobile);
    END IF;
    IF inline_visitor.email IS NOT NULL OR document.hash IS NOT NULL THEN
        SELECT p.email::text AS email, p.document_hash INTO known FROM @extschema@.visitors p WHERE p.id = person FOR NO KEY UPDATE;
        IF document.hash <> known.document_hash THEN
            PERFORM @extschema@.refuse(409, 'document_differs', 'this visitor is known with another document', NULL,
                'Look the visitor up, correct the document there, then use visitorId.', 'visitor__document_no', jsonb_build_object('id', person));
        ELSIF (known.email IS NULL AND inline_visitor.email IS NOT NULL) OR (known.document_hash IS NULL AND document.hash IS NOT NULL) THEN
            UPDATE @extschema@.visitors p SET
                email = coalesce(p.email, inline_visitor.email),
                document_type = CASE WHEN p.document_hash IS NULL THEN inline_visitor.document_type ELSE p.document_type END,
                document_masked = CASE WHEN p.document_hash IS NULL THEN document.masked ELSE p.document_masked END,
                document_hash = coalesce(p.document_hash, document.hash)
             WHERE p.id = person;
        END IF;
    END IF;
    RETURN person;
END $$;
COMMENT ON FUNCTION @extschema@.inline_visitor(text, text, text, text, uuid, text, text) IS
'The visitor that a walk-in brings along: the active one with the same mobile and name, else a new unregistered one. What a known visitor lacked is added,
nothing is overwritten. Errors: RG400, RG404 category, RG409 known with another document.';
REVOKE ALL ON FUNCTION @extschema@.inline_visitor(text, text, text, text, uuid, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_visit_links(purpose_id uuid, host_id uuid, unit_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_visit_links.purpose_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM @extschema@.purposes w WHERE w.id = check_visit_links.purpose_id AND w.kind = 'visit' AND w.is_active) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such purpose of a visit', NULL, NULL, 'purpose_id');
    END IF;
    IF check_visit_links.host_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.hosts h WHERE h.id = check_visit_links.host_id AND h.is_active) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such host', NULL, NULL, 'host_id');
    END IF;
    PERFORM @extschema@.check_unit(check_visit_links.unit_id);
END $$;
COMMENT ON FUNCTION @extschema@.check_visit_links(uuid, uuid, uuid) IS 'Refuses a purpose, host or unit that is not there, by name. Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.check_visit_links(uuid, uuid, uuid) FROM PUBLIC;

-- A site's day has far fewer visits than there are numbers, so a random one is nearly always free and guards at several
-- gates never wait for each other, as a counter would make them. The unique index on site, day and number refuses doubles.
CREATE FUNCTION @extschema@.new_badge_no(attempt int) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN attempt <= 6 THEN 1000 + floor(random() * 9000)::int ELSE 100000 + floor(random() * 900000)::int END::text;
END $$;
COMMENT ON FUNCTION @extschema@.new_badge_no(int) IS 'A badge number to try: four digits, six when four were taken time and again.';
REVOKE ALL ON FUNCTION @extschema@.new_badge_no(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_visit(visitor__first_name @extschema@.person_name_input DEFAULT NULL,
    visitor__last_name @extschema@.person_name_input DEFAULT NULL, visitor__mobile @extschema@.mobile_input DEFAULT NULL,
    visitor__email @extschema@.email_input DEFAULT NULL, visitor__category_id uuid DEFAULT NULL,
    visitor__document_type @extschema@.document_type_input DEFAULT NULL, visitor__document_no @extschema@.document_number_input DEFAULT NULL,
    visitor_id uuid DEFAULT NULL, purpose @extschema@.label_input DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT 1, host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL, site_id uuid DEFAULT NULL,
    gate_id uuid DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL, remark @extschema@.remark_input DEFAULT NULL)
RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid;
    gate uuid;
    person uuid := create_visit.visitor_id;
    asks boolean;
    made uuid;
BEGIN
    PERFORM @extschema@.check_one_of(create_visit.visitor__first_name IS NOT NULL, create_visit.visitor_id IS NOT NULL, 'visitor', 'visitor_id');
    PERFORM @extschema@.check_one_of(create_visit.purpose IS NOT NULL, create_visit.purpose_id IS NOT NULL, 'purpose', 'purpose_id');
    site := @extschema@.site_of_request(create_visit.site_id, create_visit.gate_id);
    gate := @extschema@.gate_or_only(create_visit.gate_id, site, 'in');
    PERFORM @extschema@.check_visit_links(create_visit.purpose_id, create_visit.host_id, create_visit.unit_id);
    IF person IS NULL THEN
        person := @extschema@.inline_visitor(create_visit.visitor__first_name, create_visit.visitor__last_name, create_visit.visitor__mobile,
            create_visit.visitor__email, create_visit.visitor__category_id, create_visit.visitor__document_type, create_visit.visitor__document_no);
    END IF;
    -- The visit's foreign key takes this lock anyway; taken before the visitor is looked at, nobody is deleted in between.
    PERFORM FROM @extschema@.visitors p WHERE p.id = person FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor', NULL, NULL, 'visitor_id');
    END IF;
    PERFORM @extschema@.admit(person, site, create_visit.group_size);
    asks := (SELECT s.ask_host FROM @extschema@.sites s WHERE s.id = site);
    FOR attempt IN 1..20 LOOP
        INSERT INTO @extschema@.visits (site_id, visitor_id, state, requested_at, purpose_id, purpose, host_id, unit_id, group_size, gate_in_id, vehicle_no,
                                        badge_no, remark)
        VALUES (site, person, CASE WHEN asks THEN 'pending' ELSE 'checked_in' END, now(), create_visit.purpose_id, create_visit.purpose, create_visit.host_id,
                create_visit.unit_id, coalesce(create_visit.group_size, 1), CASE WHEN NOT asks THEN gate END, create_visit.vehicle_no,
                CASE WHEN NOT asks THEN @extschema@.new_badge_no(attempt) END, create_visit.remark)
        ON CONFLICT DO NOTHING RETURNING id INTO made;
        EXIT WHEN made IS NOT NULL;
        -- Another gate was faster: its visit is committed and seen from here on. Else the badge number was taken.
        PERFORM @extschema@.admit(person, site, create_visit.group_size);
    END LOOP;
    IF made IS NULL THEN
        PERFORM @extschema@.refuse(503, 'busy', 'could not find a free badge number');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_visit(@extschema@.person_name_input, @extschema@.person_name_input, @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid, @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) IS
'A walk-in: checks a visitor in, one brought along (visitor__...) or a known one (visitor_id); pending where the site asks the host. Site and gate may be left
out where there is one. Errors: RG400, RG404, RG409 inside already (with the open visit), RG422 capacity, validity, gate. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.create_visit(@extschema@.person_name_input, @extschema@.person_name_input, @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid, @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, required, one_of, read_only, lane)
VALUES ('POST', '/api/visits', 'create_visit', 'visits.write', 'object', 201, '/api/visits/{id}', 'Visit created', '{visitor__first_name}',
        '{visitor|visitor_id,purpose|purpose_id}', false, 'write');

CREATE FUNCTION @extschema@.check_one_of(has_one boolean, has_other boolean, one text, other text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF has_one = has_other THEN
        PERFORM @extschema@.refuse(400, CASE WHEN has_one THEN 'conflict' ELSE 'required' END, format('exactly one of "%s" and "%s" is needed', one, other),
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
    RETURN @extschema@.site_or_only(coalesce(site_of_request.site_id,
        (SELECT g.site_id FROM @extschema@.gates g WHERE g.id = site_of_request.gate_id)));
END $$;
COMMENT ON FUNCTION @extschema@.site_of_request(uuid, uuid) IS 'The site that was named, else the gate''s, else the only one. Errors: RG400, RG404.';
REVOKE ALL ON FUNCTION @extschema@.site_of_request(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.try_visit(visitor__first_name @extschema@.person_name_input DEFAULT NULL,
    visitor__last_name @extschema@.person_name_input DEFAULT NULL, visitor__mobile @extschema@.mobile_input DEFAULT NULL,
    visitor__email @extschema@.email_input DEFAULT NULL, visitor__category_id uuid DEFAULT NULL,
    visitor__document_type @extschema@.document_type_input DEFAULT NULL, visitor__document_no @extschema@.document_number_input DEFAULT NULL,
    visitor_id uuid DEFAULT NULL, purpose @extschema@.label_input DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT 1, host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL, site_id uuid DEFAULT NULL,
    gate_id uuid DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL, remark @extschema@.remark_input DEFAULT NULL)
RETURNS SETOF @extschema@.visit_trial
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid := @extschema@.site_of_request(try_visit.site_id, try_visit.gate_id);
    gate uuid := @extschema@.gate_or_only(try_visit.gate_id, site, 'in');
    person uuid := try_visit.visitor_id;
    refusals jsonb;
BEGIN
    PERFORM @extschema@.check_one_of(try_visit.visitor__first_name IS NOT NULL, try_visit.visitor_id IS NOT NULL, 'visitor', 'visitor_id');
    PERFORM @extschema@.check_visit_links(try_visit.purpose_id, try_visit.host_id, try_visit.unit_id);
    IF person IS NULL THEN
        PERFORM @extschema@.check_mobile_given(@extschema@.category_or_default(try_visit.visitor__category_id, 'visitor__category_id'),
            try_visit.visitor__mobile, 'visitor__mobile');
        PERFORM @extschema@.document_traits(try_visit.visitor__document_type, try_visit.visitor__document_no, 'visitor__');
        person := @extschema@.find_inline_visitor(try_visit.visitor__first_name, try_visit.visitor__last_name, try_visit.visitor__mobile);
    ELSIF NOT EXISTS (SELECT FROM @extschema@.visitors p WHERE p.id = person) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor', NULL, NULL, 'visitor_id');
    END IF;
    refusals := @extschema@.refusal_list(person, site, try_visit.group_size);
    RETURN QUERY SELECT refusals = '[]', CASE WHEN refusals <> '[]' THEN NULL WHEN s.ask_host THEN 'pending' ELSE 'checked_in' END, person, site, gate, refusals
                   FROM @extschema@.sites s WHERE s.id = site;
END $$;
COMMENT ON FUNCTION @extschema@.try_visit(@extschema@.person_name_input, @extschema@.person_name_input, @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid, @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) IS
'What create_visit would say to the same arguments, with all reasons for a no, and nothing written. The purpose may be left out. Errors: RG400, RG404.
Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.try_visit(@extschema@.person_name_input, @extschema@.person_name_input, @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid, @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, one_of, read_only, lane)
VALUES ('POST', '/api/visits/try', 'try_visit', 'visits.write', 'object', 200, 'Nothing was written', '{visitor__first_name}', '{visitor|visitor_id}', true, 'read');

CREATE FUNCTION @extschema@.get_visitor_status(id uuid, site_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.visitor_state
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid := coalesce(get_visitor_status.site_id, (SELECT s.id FROM @extschema@.sites s WHERE s.is_active
                          AND NOT EXISTS (SELECT FROM @extschema@.sites o WHERE o.is_active AND o.id <> s.id)));
    refusals jsonb := @extschema@.refusal_list(get_visitor_status.id, site);
BEGIN
    RETURN QUERY
    SELECT p.id, coalesce(latest.state, 'none'), o.id, o.state::text, o.site_id, o.requested_at, o.checked_in_at,
           refusals = '[]', coalesce(o.state = 'checked_in', false), refusals
      FROM @extschema@.visitors p
      LEFT JOIN @extschema@.visits o ON o.visitor_id = p.id AND o.state IN ('pending', 'checked_in')
      LEFT JOIN LATERAL (SELECT v.state::text AS state FROM @extschema@.visits v WHERE v.visitor_id = p.id
                          ORDER BY v.requested_at DESC, v.id DESC LIMIT 1) latest ON true
     WHERE p.id = get_visitor_status.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_visitor_status(uuid, uuid) IS
'Where a visitor stands: state of the latest visit or none, the open visit, may check in (at the site, if named or the only one) or out, and all reasons for a
no. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visitor_status(uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}/status', 'get_visitor_status', 'visits.read', 'object', 200, 'Status', true, 'read');

-- Transitions: rule, times and actor are the state trigger's ------------------------------------------------------------

CREATE FUNCTION @extschema@.check_in(id uuid, gate_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visit record;
    gate uuid;
BEGIN
    SELECT v.site_id, v.visitor_id, v.group_size::int AS group_size, v.state::text AS state INTO visit FROM @extschema@.visits v WHERE v.id = check_in.id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Site before visit, as create_visit locks them. A visit that is not pending any more is the trigger's to refuse.
    IF visit.state = 'pending' THEN
        gate := @extschema@.gate_or_only(check_in.gate_id, visit.site_id, 'in');
        PERFORM FROM @extschema@.visitors p WHERE p.id = visit.visitor_id FOR KEY SHARE;
        PERFORM @extschema@.admit(visit.visitor_id, visit.site_id, visit.group_size, check_in.id);
    END IF;
    FOR attempt IN 1..20 LOOP
        BEGIN
            UPDATE @extschema@.visits v SET state = 'checked_in', gate_in_id = gate, badge_no = @extschema@.new_badge_no(attempt) WHERE v.id = check_in.id;
            RETURN QUERY SELECT * FROM @extschema@.get_visit(check_in.id);
            RETURN;
        EXCEPTION WHEN unique_violation THEN    -- the badge number is taken
        END;
    END LOOP;
    PERFORM @extschema@.refuse(503, 'busy', 'could not find a free badge number');
END $$;
COMMENT ON FUNCTION @extschema@.check_in(uuid, uuid) IS
'Lets a pending visit in at a gate. Errors: RG404, RG409 not pending, RG422 capacity, validity, gate. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.check_in(uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/check-in', 'check_in', 'visits.write', 'object', 200, 'Checked in', false, 'write');

CREATE FUNCTION @extschema@.check_out(id uuid, gate_id uuid DEFAULT NULL, group_size @extschema@.group_size_input DEFAULT NULL,
    remark @extschema@.remark_input DEFAULT NULL, is_forced boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visit record;
BEGIN
    SELECT v.site_id, v.state::text AS state, v.group_size::int AS group_size INTO visit FROM @extschema@.visits v WHERE v.id = check_out.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF visit.state = 'checked_in' AND check_out.group_size > visit.group_size THEN
        PERFORM @extschema@.refuse(422, 'group_size', 'more people leave than are inside', format('%s of this visit are inside.', visit.group_size), NULL,
                                   'group_size', jsonb_build_object('id', check_out.id, 'state', visit.state, 'groupSize', visit.group_size));
    ELSIF visit.state = 'checked_in' AND check_out.group_size < visit.group_size THEN
        -- Some of a group leave: the visit stays open for the others, the audit log keeps how many they were.
        UPDATE @extschema@.visits v SET group_size = visit.group_size - check_out.group_size, remark = coalesce(check_out.remark, v.remark)
         WHERE v.id = check_out.id;
    ELSE
        UPDATE @extschema@.visits v SET state = 'checked_out', gate_out_id = @extschema@.gate_or_only(check_out.gate_id, visit.site_id, 'out'),
               is_forced = coalesce(check_out.is_forced, false), remark = coalesce(check_out.remark, v.remark)
         WHERE v.id = check_out.id;
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(check_out.id);
END $$;
COMMENT ON FUNCTION @extschema@.check_out(uuid, uuid, @extschema@.group_size_input, @extschema@.remark_input, boolean) IS
'Ends a visit at a gate. With group_size only so many leave and the visit stays open while somebody is left. is_forced marks one whose visitor was not seen
leaving. Works while the tenant is suspended. Errors: RG404, RG409 not inside, RG422 gate or too many. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.check_out(uuid, uuid, @extschema@.group_size_input, @extschema@.remark_input, boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane, while_suspended)
VALUES ('POST', '/api/visits/{id}/check-out', 'check_out', 'visits.write', 'object', 200, 'Checked out', false, 'write', true);

CREATE FUNCTION @extschema@.refuse_visit(id uuid, remark @extschema@.remark_input DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.visits v SET state = 'refused', remark = coalesce(refuse_visit.remark, v.remark) WHERE v.id = refuse_visit.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(refuse_visit.id);
END $$;
COMMENT ON FUNCTION @extschema@.refuse_visit(uuid, @extschema@.remark_input) IS
'Turns a pending visit away; the remark may say why. Errors: RG404, RG409 not pending. Callers: guard, receptionist, host.';
REVOKE ALL ON FUNCTION @extschema@.refuse_visit(uuid, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/refuse', 'refuse_visit', 'visits.write', 'object', 200, 'Refused', false, 'write');

CREATE FUNCTION @extschema@.cancel_visit(id uuid, remark @extschema@.remark_input DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.visits v SET state = 'cancelled', remark = coalesce(cancel_visit.remark, v.remark) WHERE v.id = cancel_visit.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(cancel_visit.id);
END $$;
COMMENT ON FUNCTION @extschema@.cancel_visit(uuid, @extschema@.remark_input) IS
'Takes a pending visit back. Errors: RG404, RG409 not pending. Callers: guard, receptionist, host.';
REVOKE ALL ON FUNCTION @extschema@.cancel_visit(uuid, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/cancel', 'cancel_visit', 'visits.write', 'object', 200, 'Cancelled', false, 'write');
