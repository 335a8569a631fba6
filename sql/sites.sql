-- Sites: a tenant's premises, their days and their fullness. A day is the site's (else the tenant's zone), never the
-- server's; who is inside is always counted from open visits, never kept as a number that could drift.

CREATE TYPE @extschema@.site AS (
    id uuid, name text, time_zone text, effective_time_zone text, capacity int, ask_host boolean, is_active boolean,
    created_at timestamptz, updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.site IS
'A site as the API answers it; time_zone is null where the tenant''s holds, effective_time_zone is what holds.';

CREATE TYPE @extschema@.site_occupancy AS (site_id uuid, capacity int, inside int, open_visits int, free_places int);
COMMENT ON TYPE @extschema@.site_occupancy IS
'How full a site is: people inside (groups count whole), visits they came in, places left (null: no capacity).';

-- Zones and days ---------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.zone_of(site_id uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT coalesce(s.time_zone, t.time_zone)::text FROM @extschema@.tenants t
        LEFT JOIN @extschema@.sites s ON s.tenant_id = t.id AND s.id = zone_of.site_id WHERE t.id = @extschema@.current_tenant());
END $$;
COMMENT ON FUNCTION @extschema@.zone_of(uuid) IS
'The IANA time zone whose days count at this site; without a site the tenant''s.';
REVOKE ALL ON FUNCTION @extschema@.zone_of(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.today_at(site_id uuid DEFAULT NULL) RETURNS date
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (now() AT TIME ZONE @extschema@.zone_of(today_at.site_id))::date;
END $$;
COMMENT ON FUNCTION @extschema@.today_at(uuid) IS
'Which day it is at a site (without one: for the tenant) as this transaction begins.';
REVOKE ALL ON FUNCTION @extschema@.today_at(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.moment_start(moment text, zone text, field text DEFAULT 'from') RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF moment IS NULL THEN
        RETURN NULL;
    ELSIF moment ~ '^\d{4}-\d\d-\d\d$' THEN
        RETURN moment::date::timestamp AT TIME ZONE zone;
    -- PostgreSQL would also take "tomorrow" and read a time without offset in the session's zone.
    ELSIF moment ~* '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$' THEN
        RETURN regexp_replace(moment, '(\.\d{6})\d+', '\1')::timestamptz;    -- cut as everywhere, not rounded
    END IF;
    PERFORM @extschema@.refuse(400, 'invalid', 'invalid date or time',
        'A date (2026-11-25) or a time with offset (2026-11-25T10:00:00Z) is asked for.',
                               NULL, field);
    RETURN NULL;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    PERFORM @extschema@.refuse(400, 'invalid', 'invalid date or time', 'There is no such day or time.', NULL, field);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.moment_start(text, text, text) IS
'Where a date begins in a zone, or the instant itself. Errors: RG400 neither an ISO date nor an instant with offset.';
REVOKE ALL ON FUNCTION @extschema@.moment_start(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.moment_end(moment text, zone text, field text DEFAULT 'to') RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    start timestamptz := @extschema@.moment_start(moment, zone, field);
BEGIN
    -- The next day is asked of the calendar: a day may have 23 or 25 hours.
    IF moment ~ '^\d{4}-\d\d-\d\d$' THEN
        RETURN (moment::date + 1)::timestamp AT TIME ZONE zone;
    END IF;
    RETURN start;
END $$;
COMMENT ON FUNCTION @extschema@.moment_end(text, text, text) IS
'The first instant after a date in a zone (a date is inclusive), or the instant itself (exclusive).';
REVOKE ALL ON FUNCTION @extschema@.moment_end(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.site_or_only(site_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found_sites uuid[];
BEGIN
    IF site_or_only.site_id IS NOT NULL THEN
        PERFORM FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = site_or_only.site_id;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such site', NULL, NULL, 'site_id');
        END IF;
        RETURN site_or_only.site_id;
    END IF;
    found_sites := ARRAY(SELECT s.id FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant()
        AND s.is_active LIMIT 2);
    IF cardinality(found_sites) <> 1 THEN
        PERFORM @extschema@.refuse(400, 'required', 'a site is needed',
            'It may be left out only where the tenant has one active site.', NULL, 'site_id');
        RETURN NULL;
    END IF;
    RETURN found_sites[1];
END $$;
COMMENT ON FUNCTION @extschema@.site_or_only(uuid) IS
'The site that was named, or the only active one. Errors: RG404 no such site, RG400 none was named and there are several.';
REVOKE ALL ON FUNCTION @extschema@.site_or_only(uuid) FROM PUBLIC;

-- Reading ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.site_rows(ids uuid[], keys text[] DEFAULT NULL, total bigint DEFAULT NULL) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.id, s.name::text, s.time_zone::text, @extschema@.zone_of(s.id), s.capacity, s.ask_host, s.is_active,
        s.created_at, s.updated_at,
           ARRAY[wanted.key, s.id::text], total
      FROM unnest(ids, keys) WITH ORDINALITY AS wanted (id, key, place)
      JOIN @extschema@.sites s ON s.tenant_id = @extschema@.current_tenant() AND s.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.site_rows(uuid[], text[], bigint) IS
'Rows of these sites in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.site_rows(uuid[], text[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_site(id uuid) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.site_rows(ARRAY[get_site.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_site(uuid) IS 'One site. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_site(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/sites/{id}', 'get_site', 'sites.read', 'object', 200, 'Site', true, 'read');

CREATE FUNCTION @extschema@.list_sites(is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false,
    sort @extschema@.name_sort_input DEFAULT 'name') RETURNS SETOF @extschema@.site
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];
    keys text[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT s.id, CASE ltrim(sort, '-') WHEN 'name' THEN s.name::text END AS word,
               CASE ltrim(sort, '-') WHEN 'createdAt' THEN s.created_at END AS moment
          FROM @extschema@.sites s
         WHERE s.tenant_id = @extschema@.current_tenant()
             AND (list_sites.is_active IS NULL OR s.is_active = list_sites.is_active))
    SELECT array_agg(p.id), array_agg(p.key), CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO ids, keys, total
      FROM (SELECT m.id, @extschema@.sort_key(m.word, m.moment) AS key FROM matching m
             WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
             ORDER BY CASE WHEN sort LIKE '-%' THEN m.word END DESC, CASE WHEN sort LIKE '-%' THEN m.moment END DESC,
                      CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.word, m.moment, m.id
             LIMIT page_limit OFFSET page_offset) p;
    RETURN QUERY SELECT * FROM @extschema@.site_rows(ids, keys, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_sites(boolean, int, int, text[], boolean,
    @extschema@.name_sort_input) IS
'The tenant''s sites by name; is_active null shows closed ones too. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_sites(boolean, int, int, text[], boolean,
    @extschema@.name_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/sites', 'list_sites', 'sites.read', 'list', 200, 'Sites', true, 'read');

CREATE FUNCTION @extschema@.get_site_occupancy(id uuid, at @extschema@.moment_input DEFAULT NULL) RETURNS SETOF @extschema@.site_occupancy
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    instant CONSTANT timestamptz := @extschema@.moment_start(get_site_occupancy.at, @extschema@.zone_of(get_site_occupancy.id), 'at');
BEGIN
    IF instant > now() THEN
        PERFORM @extschema@.refuse(400, 'in_future', 'is still to come', field => 'at');
    END IF;
    RETURN QUERY
    SELECT s.id, s.capacity, o.people::int, o.visits::int, (s.capacity - o.people)::int
      FROM @extschema@.sites s
     CROSS JOIN LATERAL (SELECT coalesce(sum(v.group_size), 0) AS people, count(*) AS visits FROM @extschema@.visits v
                          WHERE instant IS NULL AND v.tenant_id = @extschema@.current_tenant() AND v.site_id = s.id
                              AND v.state = 'checked_in'
                         HAVING instant IS NULL
                         UNION ALL SELECT @extschema@.occupancy_at(s.id, instant), NULL WHERE instant IS NOT NULL) o
     WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = get_site_occupancy.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_site_occupancy(uuid, @extschema@.moment_input) IS
'People inside a site now, whatever day they came, and the places left by the capacity of now; with at: then (a date: as it began; openVisits is '
'null). Errors: RG400, RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_site_occupancy(uuid, @extschema@.moment_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/sites/{id}/occupancy', 'get_site_occupancy', 'visits.read', 'object', 200, 'Occupancy', true, 'read');

-- Writing ----------------------------------------------------------------------------------------------------------
-- In every PATCH function of the product: a member that was given is taken as it is, null too. What may not be null is the
-- column's to say (23502 names the column, the dispatcher answers 400 with that field). Without `given`, for a DBA, null means: leave it.

CREATE FUNCTION @extschema@.create_site(name @extschema@.label_input, time_zone @extschema@.time_zone_input DEFAULT NULL,
    capacity @extschema@.capacity_input DEFAULT NULL, ask_host boolean DEFAULT false) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_site.name := @extschema@.normalize_label(create_site.name);
    create_site.time_zone := @extschema@.normalize_time_zone(create_site.time_zone);
    INSERT INTO @extschema@.sites (name, time_zone, capacity, ask_host)
    VALUES (create_site.name, create_site.time_zone, create_site.capacity, coalesce(create_site.ask_host, false))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_site(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_site(@extschema@.label_input, @extschema@.time_zone_input, @extschema@.capacity_input, boolean) IS
'Makes a site; time_zone is an IANA name, null takes the tenant''s; capacity null is no limit. Errors: RG400, RG409 name '
'taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_site(@extschema@.label_input, @extschema@.time_zone_input, @extschema@.capacity_input, boolean)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/sites', 'create_site', 'sites.write', 'object', 201, '/api/sites/{id}',
    'Site created', false, 'write');

CREATE FUNCTION @extschema@.update_site(id uuid, name @extschema@.label_input DEFAULT NULL,
    time_zone @extschema@.time_zone_input DEFAULT NULL,
    capacity @extschema@.capacity_input DEFAULT NULL, ask_host boolean DEFAULT NULL, is_active boolean DEFAULT NULL,
    given text[] DEFAULT NULL) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    open_visits bigint;
BEGIN
    update_site.name := @extschema@.normalize_label(update_site.name);
    update_site.time_zone := @extschema@.normalize_time_zone(update_site.time_zone);
    IF update_site.is_active = false THEN
        SELECT count(*) INTO open_visits FROM @extschema@.visits v WHERE v.tenant_id = @extschema@.current_tenant()
            AND v.site_id = update_site.id
            AND v.state IN ('pending', 'checked_in');
        IF open_visits > 0 THEN
            PERFORM @extschema@.refuse(409, 'in_use', 'site has open visits', NULL,
                'Check everybody out before the site is closed.', NULL,
                                       jsonb_build_object('openVisits', open_visits));
        END IF;
    END IF;
    UPDATE @extschema@.sites s SET
        name = @extschema@.patched(given, 'name', update_site.name, s.name),
        time_zone = @extschema@.patched(given, 'time_zone', update_site.time_zone, s.time_zone),
        capacity = @extschema@.patched(given, 'capacity', update_site.capacity, s.capacity),
        ask_host = @extschema@.patched(given, 'ask_host', update_site.ask_host, s.ask_host),
        is_active = @extschema@.patched(given, 'is_active', update_site.is_active, s.is_active)
     WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = update_site.id;
    RETURN QUERY SELECT * FROM @extschema@.get_site(update_site.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_site(uuid, @extschema@.label_input, @extschema@.time_zone_input, @extschema@.capacity_input, boolean,
    boolean, text[]) IS
'Changes a site; time_zone and capacity can be cleared. Errors: RG400, RG404, RG409 name taken or closing with open '
'visits. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_site(uuid, @extschema@.label_input, @extschema@.time_zone_input, @extschema@.capacity_input, boolean,
    boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required, read_only, lane)
VALUES ('PATCH', '/api/sites/{id}', 'update_site', 'sites.write', 'object', 200, 'Site changed', '{name,ask_host,is_active}', false, 'write');
