-- What a request refers to by id. All that is not there is named at once; another tenant's rows are not there.

CREATE FUNCTION @extschema@.check_references(site_id uuid DEFAULT NULL, gate_id uuid DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL, visitor_id uuid DEFAULT NULL, category_id uuid DEFAULT NULL,
    visitor__category_id uuid DEFAULT NULL, parent_id uuid DEFAULT NULL, location_id uuid DEFAULT NULL, user_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    tenant CONSTANT uuid := @extschema@.current_tenant();
    fields text[];
    things text[];
BEGIN
    PERFORM @extschema@.checks_done();
    SELECT array_agg(m.field), array_agg(DISTINCT m.thing) INTO fields, things
      FROM (VALUES
        ('site_id', 'site', site_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.sites t WHERE t.tenant_id = tenant AND t.id = site_id)),
        ('gate_id', 'gate', gate_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.gates t WHERE t.tenant_id = tenant AND t.id = gate_id)),
        ('purpose_id', 'purpose of a visit', purpose_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.purposes t
            WHERE t.tenant_id = tenant AND t.id = purpose_id AND t.kind = 'visit' AND t.is_active)),
        ('host_id', 'host', host_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.hosts t
            WHERE t.tenant_id = tenant AND t.id = host_id AND t.is_active)),
        ('unit_id', 'unit', unit_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.locations t
            WHERE t.tenant_id = tenant AND t.id = unit_id AND t.is_active)),
        ('visitor_id', 'visitor', visitor_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.visitors t
            WHERE t.tenant_id = tenant AND t.id = visitor_id)),
        ('category_id', 'visitor category', category_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.visitor_categories t
            WHERE t.tenant_id = tenant AND t.id = category_id AND t.is_active)),
        ('visitor__category_id', 'visitor category', visitor__category_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.visitor_categories t
            WHERE t.tenant_id = tenant AND t.id = visitor__category_id AND t.is_active)),
        ('parent_id', 'location', parent_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.locations t
            WHERE t.tenant_id = tenant AND t.id = parent_id AND t.is_active)),
        ('location_id', 'location', location_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.locations t
            WHERE t.tenant_id = tenant AND t.id = location_id AND t.is_active)),
        ('user_id', 'user', user_id IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.users t WHERE t.tenant_id = tenant AND t.id = user_id))
      ) AS m (field, thing, is_missing) WHERE m.is_missing;
    IF fields IS NOT NULL THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such ' || array_to_string(things, ', '), field => array_to_string(fields, ','));
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_references(uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid) IS
'Ends the checks (checks_done) and refuses ids of things that are not there or no longer in use, all at once, by the names of the parameters. Null refers to nothing. '
'Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.check_references(uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid) FROM PUBLIC;
