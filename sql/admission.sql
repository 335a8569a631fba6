-- Who may come in. Every reason why somebody may not stands in checkin_refusals, which check-in, dry run and status share.

CREATE TYPE @extschema@.checkin_refusal AS (status int, code text, message text, detail text, hint text, data jsonb);
COMMENT ON TYPE @extschema@.checkin_refusal IS
'One reason why somebody may not come in, with the HTTP status it refuses with.';

CREATE FUNCTION @extschema@.checkin_refusals(visitor_id uuid, site_id uuid, group_size int DEFAULT 1,
    visit_id uuid DEFAULT NULL)
RETURNS SETOF @extschema@.checkin_refusal
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visitor record;
    site record;
    open_visit jsonb;
    today date;
    inside bigint;
BEGIN
    IF checkin_refusals.visitor_id IS NOT NULL THEN
        open_visit := @extschema@.open_visit_of(checkin_refusals.visitor_id);
    END IF;
    IF open_visit ->> 'id' IS DISTINCT FROM checkin_refusals.visit_id::text AND open_visit IS NOT NULL THEN
        RETURN NEXT (409, 'open_visit', CASE open_visit ->> 'state' WHEN 'pending' THEN 'visitor is expected already'
            ELSE 'visitor is inside already' END,
                     NULL, 'Check the visitor out, or cancel the visit, first.', open_visit)::@extschema@.checkin_refusal;
    END IF;
    SELECT t.state::text AS tenant_state, s.is_active, s.capacity INTO site FROM @extschema@.tenants t
        LEFT JOIN @extschema@.sites s ON s.tenant_id = t.id AND s.id = checkin_refusals.site_id WHERE t.id = @extschema@.current_tenant();
    IF site.tenant_state <> 'active' THEN
        RETURN NEXT (423, 'tenant_suspended', 'tenant is suspended', NULL, NULL, NULL)::@extschema@.checkin_refusal;
    END IF;
    IF checkin_refusals.visitor_id IS NOT NULL THEN
        SELECT p.is_active, p.valid_from, p.valid_until INTO visitor FROM @extschema@.visitors p
            WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = checkin_refusals.visitor_id;
        IF visitor.valid_from IS NOT NULL OR visitor.valid_until IS NOT NULL THEN
            today := @extschema@.today_at(checkin_refusals.site_id);
        END IF;
        IF NOT visitor.is_active THEN
            RETURN NEXT (422, 'visitor_inactive', 'visitor is deleted', NULL, 'Make the visitor active again first.',
                NULL)::@extschema@.checkin_refusal;
        END IF;
        IF visitor.valid_from > today THEN
            RETURN NEXT (422, 'visitor_not_valid_yet', 'visitor may not come in yet',
                format('From %s on.', visitor.valid_from), NULL, NULL)::@extschema@.checkin_refusal;
        END IF;
        IF visitor.valid_until < today THEN
            RETURN NEXT (422, 'visitor_expired', 'visitor may not come in any more',
                format('%s was the last day.', visitor.valid_until), NULL, NULL)::@extschema@.checkin_refusal;
        END IF;
    END IF;
    IF NOT site.is_active THEN
        RETURN NEXT (422, 'site_inactive', 'site is closed', NULL, NULL, NULL)::@extschema@.checkin_refusal;
    END IF;
    IF site.capacity IS NOT NULL THEN
        SELECT coalesce(sum(v.group_size), 0) INTO inside FROM @extschema@.visits v
         WHERE v.tenant_id = @extschema@.current_tenant() AND v.site_id = checkin_refusals.site_id
             AND v.state = 'checked_in'
             AND v.id IS DISTINCT FROM checkin_refusals.visit_id;
        IF inside + coalesce(checkin_refusals.group_size, 1) > site.capacity THEN
            RETURN NEXT (422, 'capacity_reached', 'site is full',
                format('%s of %s places are taken.', inside, site.capacity), NULL,
                         jsonb_build_object('capacity', site.capacity, 'inside', inside))::@extschema@.checkin_refusal;
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.checkin_refusals(uuid, uuid, int, uuid) IS
'All reasons why this visitor (null: a new one) may not come in at this site now with such a group; none: may. visit_id '
'names the visit that is being checked in, which does not count against itself. Check-in, dry run and status share it.';
REVOKE ALL ON FUNCTION @extschema@.checkin_refusals(uuid, uuid, int, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.refusal_list(visitor_id uuid, site_id uuid, group_size int DEFAULT 1,
    visit_id uuid DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('code', r.code, 'message', r.message, 'detail', r.detail,
        'hint', r.hint)), '[]')
              FROM @extschema@.checkin_refusals(refusal_list.visitor_id, refusal_list.site_id, refusal_list.group_size,
                  refusal_list.visit_id) r);
END $$;
COMMENT ON FUNCTION @extschema@.refusal_list(uuid, uuid, int, uuid) IS
'The refusals of a check-in as the API answers them.';
REVOKE ALL ON FUNCTION @extschema@.refusal_list(uuid, uuid, int, uuid) FROM PUBLIC;

-- Under read committed a count sees only what was committed when its own statement began: the lock comes first, in a
-- statement of its own, and the count of checkin_refusals later. Without capacity nobody waits for anybody.
CREATE FUNCTION @extschema@.admit(visitor_id uuid, site_id uuid, group_size int, visit_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    refusal record;
BEGIN
    PERFORM FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = admit.site_id
        AND s.capacity IS NOT NULL FOR NO KEY UPDATE;
    SELECT * INTO refusal FROM @extschema@.checkin_refusals(admit.visitor_id, admit.site_id, admit.group_size,
        admit.visit_id) LIMIT 1;
    IF FOUND THEN
        PERFORM @extschema@.refuse(refusal.status, refusal.code, refusal.message, refusal.detail, refusal.hint,
            NULL, refusal.data);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.admit(uuid, uuid, int, uuid) IS
'Raises the first reason against a check-in; where the site has a capacity, check-ins there go one after the other. '
'Errors: RG409, RG422, RG423.';
REVOKE ALL ON FUNCTION @extschema@.admit(uuid, uuid, int, uuid) FROM PUBLIC;
