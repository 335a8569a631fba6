-- What a request refers to by id. All that is not there is named at once; another tenant's rows are not there.

CREATE FUNCTION @extschema@.check_references(site_id uuid DEFAULT NULL, gate_id uuid DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL, visitor_id uuid DEFAULT NULL, category_id uuid DEFAULT NULL,
    visitor__category_id uuid DEFAULT NULL, parent_id uuid DEFAULT NULL, location_id uuid DEFAULT NULL, user_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    tenant CONSTANT uuid := @extschema@.current_tenant();
    missing text[] := ARRAY[]::text[];   -- field, thing, field, thing ...
BEGIN
    PERFORM @extschema@.checks_done();
    -- One by one, each only where there is an id: a request refers to two or three things, and one query for all eleven would be made
    -- ready and taken down for all eleven.
    IF site_id IS NOT NULL THEN
        PERFORM FROM @extschema@.sites t WHERE t.tenant_id = tenant AND t.id = site_id;
        IF NOT FOUND THEN missing := missing || ARRAY['site_id', 'site']; END IF;
    END IF;
    IF gate_id IS NOT NULL THEN
        PERFORM FROM @extschema@.gates t WHERE t.tenant_id = tenant AND t.id = gate_id;
        IF NOT FOUND THEN missing := missing || ARRAY['gate_id', 'gate']; END IF;
    END IF;
    IF purpose_id IS NOT NULL THEN
        PERFORM FROM @extschema@.purposes t WHERE t.tenant_id = tenant AND t.id = purpose_id AND t.kind = 'visit' AND t.is_active;
        IF NOT FOUND THEN missing := missing || ARRAY['purpose_id', 'purpose of a visit']; END IF;
    END IF;
    IF host_id IS NOT NULL THEN
        PERFORM FROM @extschema@.hosts t WHERE t.tenant_id = tenant AND t.id = host_id AND t.is_active;
        IF NOT FOUND THEN missing := missing || ARRAY['host_id', 'host']; END IF;
    END IF;
    IF unit_id IS NOT NULL THEN
        PERFORM FROM @extschema@.locations t WHERE t.tenant_id = tenant AND t.id = unit_id AND t.is_active;
        IF NOT FOUND THEN missing := missing || ARRAY['unit_id', 'unit']; END IF;
    END IF;
    IF visitor_id IS NOT NULL THEN
        PERFORM FROM @extschema@.visitors t WHERE t.tenant_id = tenant AND t.id = visitor_id;
        IF NOT FOUND THEN missing := missing || ARRAY['visitor_id', 'visitor']; END IF;
    END IF;
    IF category_id IS NOT NULL THEN
        PERFORM FROM @extschema@.visitor_categories t WHERE t.tenant_id = tenant AND t.id = category_id AND t.is_active;
        IF NOT FOUND THEN missing := missing || ARRAY['category_id', 'visitor category']; END IF;
    END IF;
    IF visitor__category_id IS NOT NULL THEN
        PERFORM FROM @extschema@.visitor_categories t WHERE t.tenant_id = tenant AND t.id = visitor__category_id AND t.is_active;
        IF NOT FOUND THEN missing := missing || ARRAY['visitor__category_id', 'visitor category']; END IF;
    END IF;
    IF parent_id IS NOT NULL THEN
        PERFORM FROM @extschema@.locations t WHERE t.tenant_id = tenant AND t.id = parent_id AND t.is_active;
        IF NOT FOUND THEN missing := missing || ARRAY['parent_id', 'location']; END IF;
    END IF;
    IF location_id IS NOT NULL THEN
        PERFORM FROM @extschema@.locations t WHERE t.tenant_id = tenant AND t.id = location_id AND t.is_active;
        IF NOT FOUND THEN missing := missing || ARRAY['location_id', 'location']; END IF;
    END IF;
    IF user_id IS NOT NULL THEN
        PERFORM FROM @extschema@.users t WHERE t.tenant_id = tenant AND t.id = user_id;
        IF NOT FOUND THEN missing := missing || ARRAY['user_id', 'user']; END IF;
    END IF;
    IF cardinality(missing) > 0 THEN
        PERFORM @extschema@.refuse(404, 'not_found',
            'no such ' || (SELECT string_agg(DISTINCT thing, ', ') FROM unnest(missing) WITH ORDINALITY m (thing, place) WHERE place % 2 = 0),
            field => (SELECT string_agg(field, ',' ORDER BY place) FROM unnest(missing) WITH ORDINALITY m (field, place) WHERE place % 2 = 1));
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_references(uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid) IS
'Ends the checks (checks_done) and refuses ids of things that are not there or no longer in use, all at once, by the names of the parameters. Null refers to nothing. '
'Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.check_references(uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid) FROM PUBLIC;
