-- Tenants: the own one, and a new one made usable at once, with its first site, the built-in roles and vocabularies that fit
-- its kind. The row in tenants is written by relygate_platform (insert_tenant), everything else by the caller under the new
-- tenant's context, so no function here has more rights than who calls it.

CREATE TYPE @extschema@.tenant AS (
    id uuid, code text, name text, kind text, time_zone text, country text, state text, subscription_from date,
    subscription_until date, is_operator boolean, created_at timestamptz, updated_at timestamptz);
COMMENT ON TYPE @extschema@.tenant IS 'A tenant as the API answers it.';

CREATE FUNCTION @extschema@.own_tenant() RETURNS SETOF @extschema@.tenant
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT t.id, t.code::text, t.name::text, t.kind::text, t.time_zone::text, t.country::text, t.state::text,
                        t.subscription_from, t.subscription_until, t.is_operator, t.created_at, t.updated_at
                   FROM @extschema@.tenants t WHERE t.id = @extschema@.current_tenant();
END $$;
COMMENT ON FUNCTION @extschema@.own_tenant() IS 'The tenant of the caller.';
REVOKE ALL ON FUNCTION @extschema@.own_tenant() FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, message, read_only, lane)
VALUES ('GET', '/api/tenant', 'own_tenant', 'signed_in', 'object', 'Tenant', true, 'read');

-- What a new tenant begins with; afterwards the lists are its own.
CREATE FUNCTION @extschema@.default_visitor_categories(tenant_kind text)
RETURNS TABLE (name text, asks_mobile boolean, is_default boolean, "position" int)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- The first is the default. Ambulance, fire brigade and police are not held up by questions.
    names CONSTANT text[] := CASE tenant_kind
        WHEN 'school' THEN ARRAY['Parent', 'Relative', 'Vendor', 'Alumni', 'Official', 'Delivery']
        WHEN 'residential' THEN ARRAY['Guest', 'Delivery', 'Service Provider', 'Domestic Help', 'Cab Driver', 'Official']
        WHEN 'office' THEN ARRAY['Business Visitor', 'Client', 'Vendor', 'Candidate', 'Contractor', 'Delivery']
        WHEN 'hospital' THEN ARRAY['Patient Visitor', 'Attendant', 'Outpatient', 'Medical Representative', 'Vendor', 'Delivery']
        ELSE ARRAY['Visitor', 'Vendor', 'Official', 'Delivery'] END || ARRAY['Emergency Service'];
BEGIN
    RETURN QUERY SELECT n.name, n.name <> 'Emergency Service', n.ordinality = 1, n.ordinality::int
                   FROM unnest(names) WITH ORDINALITY AS n (name, ordinality);
END $$;
COMMENT ON FUNCTION @extschema@.default_visitor_categories(text) IS 'The visitor categories that a new tenant of this kind begins with.';
REVOKE ALL ON FUNCTION @extschema@.default_visitor_categories(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.default_purposes(tenant_kind text) RETURNS TABLE (kind text, name text, "position" int)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lists CONSTANT jsonb := (CASE tenant_kind
        WHEN 'school' THEN '{"visit": ["Meet a Student", "Meet a Teacher", "Admission Enquiry", "Fee Payment", "Event", "Delivery", "Maintenance"],
            "gate_pass": ["Parents'' Day", "Event", "Guest Lecture", "Hostel Visit"],
            "student": ["Going Home", "Market", "Medical", "Sports", "Educational Trip"],
            "staff": ["Official Duty", "Personal", "Lunch", "Medical"],
            "vehicle": ["School Route", "Trip", "Fuel", "Workshop"]}'
        WHEN 'residential' THEN '{"visit": ["Meet a Resident", "Delivery", "Cab", "Repair", "Housekeeping", "House Viewing"],
            "gate_pass": ["Guest", "Party", "Moving In", "Moving Out", "Renovation"],
            "staff": ["Official Duty", "Personal", "Lunch"],
            "vehicle": ["Resident", "Service", "Goods"]}'
        WHEN 'hospital' THEN '{"visit": ["Visit a Patient", "Appointment", "Emergency", "Sales Call", "Delivery", "Maintenance"],
            "gate_pass": ["Attendant", "Contractor Work", "Guest Lecture"],
            "staff": ["Official Duty", "Personal", "Lunch"],
            "vehicle": ["Ambulance", "Supplies", "Fuel", "Workshop"]}'
        ELSE '{"visit": ["Meeting", "Interview", "Sales Call", "Delivery", "Maintenance", "Event"],
            "gate_pass": ["Meeting", "Event", "Contractor Work"],
            "staff": ["Official Duty", "Personal", "Lunch"],
            "vehicle": ["Pick-up", "Delivery", "Fuel", "Workshop"]}' END)::jsonb;
BEGIN
    RETURN QUERY SELECT l.key, n.name, n.ordinality::int
                   FROM jsonb_each(lists) l, jsonb_array_elements_text(l.value) WITH ORDINALITY AS n (name, ordinality);
END $$;
COMMENT ON FUNCTION @extschema@.default_purposes(text) IS 'The purposes that a new tenant of this kind begins with.';
REVOKE ALL ON FUNCTION @extschema@.default_purposes(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_tenant(code @extschema@.code_input, name @extschema@.label_input,
    kind @extschema@.tenant_kind_input, time_zone @extschema@.time_zone_input, country @extschema@.country_input,
    is_operator boolean DEFAULT false) RETURNS SETOF @extschema@.tenant
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_id CONSTANT uuid := @extschema@.uuid_v7();
BEGIN
    create_tenant.code := @extschema@.normalize_code(create_tenant.code);
    create_tenant.name := @extschema@.normalize_label(create_tenant.name);
    create_tenant.time_zone := @extschema@.normalize_time_zone(create_tenant.time_zone);
    create_tenant.country := @extschema@.normalize_country(create_tenant.country);
    IF @extschema@.find_tenant(create_tenant.code) IS NOT NULL THEN
        PERFORM @extschema@.refuse(409, 'duplicate', 'tenant code is taken', NULL, NULL, 'code');
    END IF;
    -- Set to the end of the transaction: what the caller writes next in it, as the first user, belongs to the new tenant.
    PERFORM set_config('app.tenant_id', new_id::text, true);
    PERFORM @extschema@.insert_tenant(new_id, create_tenant.code, create_tenant.name, create_tenant.kind,
                                      create_tenant.time_zone, create_tenant.country, create_tenant.is_operator);
    INSERT INTO @extschema@.sites (name) VALUES (create_tenant.name);
    INSERT INTO @extschema@.roles (name, is_built_in)
    SELECT b.role, true FROM @extschema@.built_in_roles() b WHERE create_tenant.is_operator OR b.role <> 'platform_admin';
    INSERT INTO @extschema@.visitor_categories (name, asks_mobile, is_default, position)
    SELECT d.name, d.asks_mobile, d.is_default, d.position FROM @extschema@.default_visitor_categories(create_tenant.kind) d;
    INSERT INTO @extschema@.purposes (kind, name, position)
    SELECT d.kind, d.name, d.position FROM @extschema@.default_purposes(create_tenant.kind) d;
    RETURN QUERY SELECT * FROM @extschema@.own_tenant();
END $$;
COMMENT ON FUNCTION @extschema@.create_tenant(@extschema@.code_input, @extschema@.label_input, @extschema@.tenant_kind_input,
    @extschema@.time_zone_input, @extschema@.country_input, boolean) IS
'Makes a tenant with its first site, the built-in roles and vocabularies of its kind. The rest of the transaction works for '
'it: call create_user next. The first tenant of an installation is its operator''s (is_operator). Errors: RG409 the code is '
'taken; 25001 the transaction works for another tenant. Callers: a DBA.';
REVOKE ALL ON FUNCTION @extschema@.create_tenant(@extschema@.code_input, @extschema@.label_input, @extschema@.tenant_kind_input,
    @extschema@.time_zone_input, @extschema@.country_input, boolean) FROM PUBLIC;
