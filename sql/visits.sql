-- Visits: one entry of one visitor at one site; how they are read, and how they end. How they begin: walk_ins.sql.

CREATE TYPE @extschema@.visit AS (
    id uuid, state text, site_id uuid, site_name text,
    visitor__id uuid, visitor__visitor_type text, visitor__first_name text, visitor__last_name text, visitor__mobile text,
    visitor__category_id uuid, visitor__registration_no text,
    purpose_id uuid, purpose text, host__id uuid, host__first_name text, host__last_name text,
    unit__id uuid, unit__name text,
    group_size int, vehicle_no text, badge_no text, requested_at timestamptz, checked_in_at timestamptz,
    checked_out_at timestamptz,
    checked_in_by uuid, checked_out_by uuid, gate_in_id uuid, gate_out_id uuid, remark text, is_forced boolean,
    is_automatic boolean,
    updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.visit IS
'A visit as the API answers it, with its visitor inside; purpose is the word of the vocabulary or the free text. group_size is who '
'is with the visit now, of one that is over who left last: all who came are people in relygate_report.visits.';

-- Reading ----------------------------------------------------------------------------------------------------------

-- A generic plan: planned anew for each array, six joins cost ten times what they take to run. ANY (ARRAY[...]) is the equality
-- that the planner does not carry from table to table: carried, it meets the policies' own tenant, and each table brings one
-- more node that compares the two. It still bounds whoever no policy holds. No sequential scan: a small table outgrows its plan.
CREATE FUNCTION @extschema@.visit_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.id, v.state::text, v.site_id, s.name::text,
           p.id, p.visitor_type::text, p.first_name::text, p.last_name::text, p.mobile::text, p.category_id,
               p.registration_no::text,
           v.purpose_id, coalesce(v.purpose::text, w.name::text), h.id, h.first_name::text, h.last_name::text,
               u.id, u.name::text,
           v.group_size::int, v.vehicle_no::text, v.badge_no::text, v.requested_at, v.checked_in_at, v.checked_out_at,
           v.checked_in_by, v.checked_out_by, v.gate_in_id, v.gate_out_id, v.remark::text, v.is_forced, v.is_automatic,
           v.updated_at, ARRAY[wanted.key, v.id::text], total
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.visits v ON v.tenant_id = ANY (ARRAY[@extschema@.current_tenant()]) AND v.id = wanted.id
      JOIN @extschema@.visitors p ON p.tenant_id = ANY (ARRAY[v.tenant_id]) AND p.id = v.visitor_id
      JOIN @extschema@.sites s ON s.tenant_id = ANY (ARRAY[v.tenant_id]) AND s.id = v.site_id
      LEFT JOIN @extschema@.purposes w ON w.tenant_id = ANY (ARRAY[v.tenant_id]) AND w.id = v.purpose_id
      LEFT JOIN @extschema@.hosts h ON h.tenant_id = ANY (ARRAY[v.tenant_id]) AND h.id = v.host_id
      LEFT JOIN @extschema@.locations u ON u.tenant_id = ANY (ARRAY[v.tenant_id]) AND u.id = v.unit_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.visit_rows(uuid[], text[], bigint) IS
'Rows of these visits in this order, each as get_visit gives it.';
REVOKE ALL ON FUNCTION @extschema@.visit_rows(uuid[], text[], bigint) FROM PUBLIC;

-- The same rows, of one visit: read most of all. Each table by a statement of its own: for one row a join costs most of its time to
-- be set up (each node names all columns once more), and without a host or unit nobody asks for one. STABLE: all of them see what
-- the caller's statement sees. test/sql/visits.sql compares both functions.
CREATE FUNCTION @extschema@.get_visit(id uuid) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tenant CONSTANT uuid := @extschema@.current_tenant();   -- as ANY (ARRAY[...]): see visit_rows
    its @extschema@.visit;
BEGIN
    SELECT v.id, v.state::text, v.site_id, v.visitor_id, v.purpose_id, v.purpose::text, v.host_id, v.unit_id, v.group_size::int,
           v.vehicle_no::text, v.badge_no::text, v.requested_at, v.checked_in_at, v.checked_out_at, v.checked_in_by, v.checked_out_by,
           v.gate_in_id, v.gate_out_id, v.remark::text, v.is_forced, v.is_automatic, v.updated_at
      INTO its.id, its.state, its.site_id, its.visitor__id, its.purpose_id, its.purpose, its.host__id, its.unit__id, its.group_size,
           its.vehicle_no, its.badge_no, its.requested_at, its.checked_in_at, its.checked_out_at, its.checked_in_by, its.checked_out_by,
           its.gate_in_id, its.gate_out_id, its.remark, its.is_forced, its.is_automatic, its.updated_at
      FROM @extschema@.visits v WHERE v.tenant_id = ANY (ARRAY[tenant]) AND v.id = get_visit.id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT s.name::text INTO its.site_name
      FROM @extschema@.sites s WHERE s.tenant_id = ANY (ARRAY[tenant]) AND s.id = its.site_id;
    IF NOT FOUND THEN   -- who may not see the site or the visitor (a policy of the DBA) does not see the visit
        RETURN;
    END IF;
    SELECT p.visitor_type::text, p.first_name::text, p.last_name::text, p.mobile::text, p.category_id, p.registration_no::text
      INTO its.visitor__visitor_type, its.visitor__first_name, its.visitor__last_name, its.visitor__mobile, its.visitor__category_id,
           its.visitor__registration_no
      FROM @extschema@.visitors p WHERE p.tenant_id = ANY (ARRAY[tenant]) AND p.id = its.visitor__id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF its.purpose_id IS NOT NULL THEN
        SELECT w.name::text INTO its.purpose
          FROM @extschema@.purposes w WHERE w.tenant_id = ANY (ARRAY[tenant]) AND w.id = its.purpose_id;
    END IF;
    IF its.host__id IS NOT NULL THEN
        SELECT h.id, h.first_name::text, h.last_name::text INTO its.host__id, its.host__first_name, its.host__last_name
          FROM @extschema@.hosts h WHERE h.tenant_id = ANY (ARRAY[tenant]) AND h.id = its.host__id;
    END IF;
    IF its.unit__id IS NOT NULL THEN
        SELECT u.id, u.name::text INTO its.unit__id, its.unit__name
          FROM @extschema@.locations u WHERE u.tenant_id = ANY (ARRAY[tenant]) AND u.id = its.unit__id;
    END IF;
    its._cursor := ARRAY[NULL, its.id::text];
    RETURN NEXT its;
END $$;
COMMENT ON FUNCTION @extschema@.get_visit(uuid) IS 'One visit. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visit(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits/{id}', 'get_visit', 'visits.read', 'object', 200, 'Visit', true, 'read');

-- No sequential scan, here and in list_visitors: for LIMIT the planner reckons with a tenant's rows spread evenly, but they lie
-- together, behind those of all the tenants that came before.
CREATE FUNCTION @extschema@.list_visits(state @extschema@.visit_state_input DEFAULT NULL,
    "from" @extschema@.moment_input DEFAULT NULL,
    "to" @extschema@.moment_input DEFAULT NULL, site uuid DEFAULT NULL, gate uuid DEFAULT NULL, purpose uuid DEFAULT NULL,
    host uuid DEFAULT NULL,
    unit uuid DEFAULT NULL, visitor uuid DEFAULT NULL, vehicle @extschema@.vehicle_number_input DEFAULT NULL,
    search @extschema@.search_input DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL,
    counting boolean DEFAULT false,
    sort @extschema@.visit_sort_input DEFAULT '-requestedAt') RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    begins timestamptz := @extschema@.moment_start(list_visits."from", @extschema@.zone_of(list_visits.site), 'from');
    ends timestamptz := @extschema@.moment_end(list_visits."to", @extschema@.zone_of(list_visits.site), 'to');
    its_vehicle text := @extschema@.normalize_vehicle_number(list_visits.vehicle, @extschema@.tenant_country());
    needle text := @extschema@.fold_search(list_visits.search);
    people uuid[];
    ids uuid[];
    keys text[];
    total bigint;
    is_filtered CONSTANT boolean := num_nonnulls(list_visits.state, begins, ends, list_visits.site, list_visits.gate, list_visits.purpose,
        list_visits.host, list_visits.unit, list_visits.visitor, its_vehicle) > 0;
    gathers boolean := false;
    all_known boolean := false;
    most int;
    place uuid;
BEGIN
    -- Who has not come in or left yet comes first in the sorts by these times, and with the years they are many. Where none of them
    -- is meant, they are left out, so that they need not be walked through.
    IF sort LIKE '-checked%' THEN
        all_known := coalesce(list_visits.state = 'checked_out' OR list_visits.state = 'checked_in' AND sort = '-checkedInAt', false);
        IF NOT all_known AND num_nonnulls(list_visits.site, list_visits.gate) > 0 THEN
            place := coalesce(list_visits.site, (SELECT g.site_id FROM @extschema@.gates g
                WHERE g.tenant_id = @extschema@.current_tenant() AND g.id = list_visits.gate));
            all_known := NOT EXISTS (SELECT FROM @extschema@.visits v WHERE v.tenant_id = @extschema@.current_tenant() AND v.site_id = place
                AND v.state <> 'checked_out' AND (v.state <> 'checked_in' OR sort = '-checkedOutAt')
                AND (list_visits.gate IS NULL OR v.gate_in_id = list_visits.gate OR v.gate_out_id = list_visits.gate));
        END IF;
    END IF;
    -- Days in the middle of the years, in the order of another time: an index of that time would be walked through until there, so
    -- the visits of those days are sorted, unless they are too many (or the walk is short, since such as never came in come first).
    IF sort NOT LIKE '%requestedAt' AND (CASE WHEN sort LIKE '-%' THEN ends < now() ELSE begins IS NOT NULL END) THEN
        most := CASE WHEN all_known OR sort NOT LIKE '-%' THEN 500000 ELSE 50000 END;
        gathers := (SELECT count(*) FROM (SELECT FROM @extschema@.visits v
                     WHERE v.tenant_id = @extschema@.current_tenant() AND v.requested_at >= coalesce(begins, '-infinity')
                       AND v.requested_at < coalesce(ends, 'infinity') LIMIT most + 1) c) <= most;
    END IF;
    -- Visits of few people are found by them. Where many have such a name, a page is near the beginning of the list and its visitors
    -- are asked one by one, while the count goes by the people. The planner knows nothing of names and would walk through all.
    IF needle IS NOT NULL THEN
        people := ARRAY(SELECT p.id FROM @extschema@.visitors p
                         WHERE p.tenant_id = @extschema@.current_tenant() AND (length(needle) < 3 OR @extschema@.contains(p.search_name, needle))
                           AND CASE WHEN @extschema@.contains(p.search_name, needle) THEN true END LIMIT 2001);   -- as in list_visitors
        IF cardinality(people) > 2000 THEN
            people := NULL;
        ELSE
            needle := NULL;
        END IF;
    END IF;
    WITH matching AS NOT MATERIALIZED (   -- the filter stands once, for page and total
        SELECT v.id, v.visitor_id, NULL::text AS word,
               CASE ltrim(sort, '-') WHEN 'requestedAt' THEN v.requested_at
                    WHEN 'checkedInAt' THEN CASE WHEN gathers THEN coalesce(v.checked_in_at, 'infinity')
                                                 WHEN v.checked_in_at IS NULL THEN 'infinity' ELSE v.checked_in_at END
                    WHEN 'checkedOutAt' THEN CASE WHEN gathers THEN coalesce(v.checked_out_at, 'infinity')
                                                  WHEN v.checked_out_at IS NULL THEN 'infinity' ELSE v.checked_out_at END END AS moment
          FROM @extschema@.visits v
         WHERE v.tenant_id = @extschema@.current_tenant() AND (list_visits.state IS NULL OR v.state = list_visits.state)
           AND (begins IS NULL OR v.requested_at >= begins)
           AND (ends IS NULL OR v.requested_at < ends)
           AND (list_visits.site IS NULL OR v.site_id = list_visits.site)
           AND (list_visits.gate IS NULL OR v.gate_in_id = list_visits.gate OR v.gate_out_id = list_visits.gate)
           AND (list_visits.purpose IS NULL OR v.purpose_id = list_visits.purpose)
           AND (list_visits.host IS NULL OR v.host_id = list_visits.host)
           AND (list_visits.unit IS NULL OR v.unit_id = list_visits.unit)
           AND (list_visits.visitor IS NULL OR v.visitor_id = list_visits.visitor)
           AND (its_vehicle IS NULL OR v.vehicle_no = its_vehicle)
           AND (people IS NULL OR v.visitor_id = ANY (people)))
    SELECT array_agg(p.id), array_agg(p.key),
           CASE WHEN counting AND needle IS NULL THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c)
                WHEN counting AND is_filtered AND (SELECT count(*) FROM (SELECT FROM matching LIMIT 20001) c) <= 20000 THEN (
                    SELECT count(*) FROM (SELECT FROM matching m WHERE (SELECT @extschema@.contains(p.search_name, needle) FROM @extschema@.visitors p
                        WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = m.visitor_id) LIMIT 10001) c)
                WHEN counting THEN (SELECT count(*) FROM (
                    SELECT FROM @extschema@.visitors p CROSS JOIN LATERAL (SELECT FROM matching m WHERE m.visitor_id = p.id OFFSET 0) m
                     WHERE p.tenant_id = @extschema@.current_tenant() AND @extschema@.contains(p.search_name, needle) LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
               AND (NOT all_known OR m.moment < 'infinity')
               AND (needle IS NULL OR (SELECT @extschema@.contains(p.search_name, needle) FROM @extschema@.visitors p
                   WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = m.visitor_id))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.visit_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_visits(@extschema@.visit_state_input, @extschema@.moment_input,
    @extschema@.moment_input, uuid, uuid, uuid, uuid, uuid,
    uuid, @extschema@.vehicle_number_input, @extschema@.search_input, int, int, text[], boolean,
    @extschema@.visit_sort_input) IS
'Visits, the latest asked for first; whoever has not come in or left yet is the latest in the sorts by these times. from and to bound requested_at: a date is a day of the site (else of the tenant), to '
'inclusive; an instant as to is exclusive. gate: in or out; search: in the visitor''s name. Errors: RG400. Callers: '
'guard, receptionist, admin, auditor.';
REVOKE ALL ON FUNCTION @extschema@.list_visits(@extschema@.visit_state_input, @extschema@.moment_input,
    @extschema@.moment_input, uuid, uuid, uuid, uuid, uuid,
    uuid, @extschema@.vehicle_number_input, @extschema@.search_input, int, int, text[], boolean,
    @extschema@.visit_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits', 'list_visits', 'visits.read', 'list', 200, 'Visits', true, 'read');

CREATE FUNCTION @extschema@.list_current_visits(site uuid DEFAULT NULL, gate uuid DEFAULT NULL, host uuid DEFAULT NULL,
    unit uuid DEFAULT NULL,
    search @extschema@.search_input DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL,
    counting boolean DEFAULT false, sort @extschema@.visit_sort_input DEFAULT '-requestedAt') RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.list_visits(state => 'checked_in', site => list_current_visits.site,
        gate => list_current_visits.gate,
        host => list_current_visits.host, unit => list_current_visits.unit, search => list_current_visits.search,
        page_limit => list_current_visits.page_limit, page_offset => list_current_visits.page_offset,
            after => list_current_visits.after,
        counting => list_current_visits.counting, sort => list_current_visits.sort);
END $$;
COMMENT ON FUNCTION @extschema@.list_current_visits(uuid, uuid, uuid, uuid, @extschema@.search_input, int, int,
    text[], boolean, @extschema@.visit_sort_input) IS
'Who is inside now, whatever day they came. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.list_current_visits(uuid, uuid, uuid, uuid, @extschema@.search_input, int, int, text[],
    boolean, @extschema@.visit_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits/current', 'list_current_visits', 'visits.read', 'list', 200, 'Inside now', true, 'read');

CREATE FUNCTION @extschema@.visitor_visits(id uuid, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL,
    counting boolean DEFAULT false, sort @extschema@.visit_sort_input DEFAULT '-requestedAt') RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM @extschema@.visitors p WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = visitor_visits.id;
    IF NOT FOUND THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.list_visits(visitor => visitor_visits.id,
        page_limit => visitor_visits.page_limit,
        page_offset => visitor_visits.page_offset, after => visitor_visits.after, counting => visitor_visits.counting,
        sort => visitor_visits.sort);
END $$;
COMMENT ON FUNCTION @extschema@.visitor_visits(uuid, int, int, text[], boolean, @extschema@.visit_sort_input) IS
'The visits of one visitor, the latest first. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.visitor_visits(uuid, int, int, text[], boolean, @extschema@.visit_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}/visits', 'visitor_visits', 'visits.read', 'list', 200,
    'Visits of the visitor', true, 'read');

CREATE FUNCTION @extschema@.open_visit_of(visitor_id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_build_object('id', v.id, 'state', v.state, 'siteId', v.site_id,
                                      'since', @extschema@.rfc3339(coalesce(v.checked_in_at, v.requested_at)))
              FROM @extschema@.visits v WHERE v.tenant_id = @extschema@.current_tenant()
                  AND v.visitor_id = open_visit_of.visitor_id
                  AND v.state IN ('pending', 'checked_in'));
END $$;
COMMENT ON FUNCTION @extschema@.open_visit_of(uuid) IS
'The visitor''s open visit as data of a refusal (id, state, siteId, since), or null.';
REVOKE ALL ON FUNCTION @extschema@.open_visit_of(uuid) FROM PUBLIC;

-- Transitions: rule, times and actor are the state trigger's ------------------------------------------------------------

CREATE FUNCTION @extschema@.check_in(id uuid, gate_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visit record;
    gate uuid;
BEGIN
    SELECT v.site_id, v.visitor_id, v.group_size::int AS group_size,
        v.state::text AS state INTO visit FROM @extschema@.visits v WHERE v.tenant_id = @extschema@.current_tenant()
            AND v.id = check_in.id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Site before visit, as create_visit locks them. A visit that is not pending any more is the trigger's to refuse.
    IF visit.state = 'pending' THEN
        gate := @extschema@.gate_or_only(check_in.gate_id, visit.site_id, 'in');
        PERFORM FROM @extschema@.visitors p WHERE p.tenant_id = @extschema@.current_tenant()
            AND p.id = visit.visitor_id FOR KEY SHARE;
        PERFORM @extschema@.admit(visit.visitor_id, visit.site_id, visit.group_size, check_in.id);
    END IF;
    FOR attempt IN 1..20 LOOP
        BEGIN
            UPDATE @extschema@.visits v SET state = 'checked_in', gate_in_id = gate,
                badge_no = @extschema@.new_badge_no(attempt),
                   badge_day = @extschema@.today_at(visit.site_id) WHERE v.tenant_id = @extschema@.current_tenant()
                       AND v.id = check_in.id;
            RETURN QUERY SELECT * FROM @extschema@.get_visit(check_in.id);
            RETURN;
        EXCEPTION WHEN unique_violation THEN    -- the badge number is taken
        END;
    END LOOP;
    PERFORM @extschema@.refuse(503, 'busy', 'could not find a free badge number');
END $$;
COMMENT ON FUNCTION @extschema@.check_in(uuid, uuid) IS
'Lets a pending visit in at a gate. Errors: RG404, RG409 not pending, RG422 capacity, validity, gate. Callers: guard, '
'receptionist.';
REVOKE ALL ON FUNCTION @extschema@.check_in(uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/check-in', 'check_in', 'visits.write', 'object', 200, 'Checked in', false, 'write');

CREATE FUNCTION @extschema@.check_out(id uuid, gate_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT NULL,
    remark @extschema@.remark_input DEFAULT NULL, is_forced boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visit record;
BEGIN
    check_out.remark := @extschema@.normalize_remark(check_out.remark);
    SELECT v.site_id, v.state::text AS state, v.group_size::int AS group_size INTO visit FROM @extschema@.visits v
        WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = check_out.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF visit.state = 'checked_in' AND check_out.group_size > visit.group_size THEN
        PERFORM @extschema@.refuse(422, 'group_size', 'more people leave than are inside',
            format('%s of this visit are inside.', visit.group_size), NULL,
                                   'group_size', jsonb_build_object('id', check_out.id, 'state', visit.state, 'groupSize',
                                       visit.group_size));
    ELSIF visit.state = 'checked_in' AND check_out.group_size < visit.group_size THEN
        -- Some of a group leave: the visit stays open for the others, visit_departures keeps how many they were.
        PERFORM @extschema@.gate_or_only(check_out.gate_id, visit.site_id, 'out');
        UPDATE @extschema@.visits v SET group_size = visit.group_size - check_out.group_size,
            remark = coalesce(check_out.remark, v.remark)
         WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = check_out.id;
    ELSE
        UPDATE @extschema@.visits v SET state = 'checked_out',
            gate_out_id = @extschema@.gate_or_only(check_out.gate_id, visit.site_id, 'out'),
               is_forced = coalesce(check_out.is_forced, false), remark = coalesce(check_out.remark, v.remark)
         WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = check_out.id;
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(check_out.id);
END $$;
COMMENT ON FUNCTION @extschema@.check_out(uuid, uuid, @extschema@.group_size_input, @extschema@.remark_input, boolean) IS
'Ends a visit at a gate. With group_size only so many leave and the visit stays open while somebody is left. is_forced '
'marks one whose visitor was not seen leaving. Works while the tenant is suspended. Errors: RG404, RG409 not inside, '
'RG422 gate or too many. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.check_out(uuid, uuid, @extschema@.group_size_input, @extschema@.remark_input, boolean)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only,
    lane, while_suspended)
VALUES ('POST', '/api/visits/{id}/check-out', 'check_out', 'visits.write', 'object', 200, 'Checked out',
    false, 'write', true);

CREATE FUNCTION @extschema@.refuse_visit(id uuid,
    remark @extschema@.remark_input DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    refuse_visit.remark := @extschema@.normalize_remark(refuse_visit.remark);
    UPDATE @extschema@.visits v SET state = 'refused', remark = coalesce(refuse_visit.remark, v.remark)
        WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = refuse_visit.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(refuse_visit.id);
END $$;
COMMENT ON FUNCTION @extschema@.refuse_visit(uuid, @extschema@.remark_input) IS
'Turns a pending visit away; the remark may say why. Errors: RG404, RG409 not pending. Callers: guard, receptionist, '
'host.';
REVOKE ALL ON FUNCTION @extschema@.refuse_visit(uuid, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/refuse', 'refuse_visit', 'visits.write', 'object', 200, 'Refused', false, 'write');

CREATE FUNCTION @extschema@.cancel_visit(id uuid,
    remark @extschema@.remark_input DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    cancel_visit.remark := @extschema@.normalize_remark(cancel_visit.remark);
    UPDATE @extschema@.visits v SET state = 'cancelled', remark = coalesce(cancel_visit.remark, v.remark)
        WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = cancel_visit.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(cancel_visit.id);
END $$;
COMMENT ON FUNCTION @extschema@.cancel_visit(uuid, @extschema@.remark_input) IS
'Takes a pending visit back. Errors: RG404, RG409 not pending. Callers: guard, receptionist, host.';
REVOKE ALL ON FUNCTION @extschema@.cancel_visit(uuid, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/cancel', 'cancel_visit', 'visits.write', 'object', 200, 'Cancelled', false, 'write');
