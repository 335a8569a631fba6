-- Time travel: what a row was, from the audit log; how full a site was, from the visits themselves.

CREATE TYPE @extschema@.history_version AS (
    valid_from timestamptz, valid_until timestamptz, user_id uuid, user_name text, user_role text, database_role text, request_id text,
    action text, row_as_json json, is_complete boolean);
COMMENT ON TYPE @extschema@.history_version IS
'A version of a row: from when until when (null: still), who made it and how, the row then (null: deleted). Columns that are missing were '
'null, or are never noted; is_complete: false where an entry before it was erased, or the row is older than its audit.';

CREATE FUNCTION @extschema@.history_of(table_name text, id uuid) RETURNS SETOF @extschema@.history_version
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entry record;
    state jsonb := jsonb_build_object();
    is_known boolean := false;
BEGIN
    FOR entry IN
        SELECT a.occurred_at, lead(a.occurred_at) OVER (ORDER BY a.occurred_at, a.id) AS until, a.user_id, u.user_name::text AS user_name,
               a.user_role::text AS user_role, a.database_role::text AS database_role, a.request_id::text AS request_id, a.action::text AS action, a.changes
          FROM @extschema@.audit_log a
          LEFT JOIN @extschema@.users u ON u.tenant_id = a.tenant_id AND u.id = a.user_id
         WHERE a.tenant_id = (SELECT @extschema@.current_tenant()) AND a.table_name = history_of.table_name AND a.row_id = history_of.id
         ORDER BY a.occurred_at, a.id
    LOOP
        IF entry.action = 'insert' THEN
            state := jsonb_build_object();
            is_known := true;
        END IF;
        is_known := is_known AND entry.changes IS NOT NULL;
        state := state || coalesce((SELECT jsonb_object_agg(c.key, c.value -> 'after') FROM jsonb_each(entry.changes::jsonb) c
                                     WHERE c.value ? 'after'), '{}');
        -- A key whose value became null goes, as it would be missing in a new row.
        state := coalesce((SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(state) c WHERE c.value <> 'null'), '{}');
        RETURN NEXT (entry.occurred_at, entry.until, entry.user_id, entry.user_name, entry.user_role, entry.database_role, entry.request_id, entry.action,
                     CASE WHEN entry.action <> 'delete' THEN state END, is_known)::@extschema@.history_version;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.history_of(text, uuid) IS
'Each version of a row of the current tenant, the first first, rebuilt from the audit log; no row where nothing is on record. Months that were '
'dropped are missing. Errors: RG401. Callers: auditor, a DBA.';
REVOKE ALL ON FUNCTION @extschema@.history_of(text, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.audit_history("table" @extschema@.label_input, id uuid) RETURNS SETOF @extschema@.history_version
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.history_of(audit_history."table", audit_history.id);
    IF NOT FOUND THEN
        -- A table that is not audited is refused there, in the same words.
        PERFORM FROM @extschema@.list_audit("table" => audit_history."table", page_limit => 0);
        PERFORM @extschema@.refuse(404, 'not_found', 'nothing is on record about such a row');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.audit_history(@extschema@.label_input, uuid) IS
'Each version of a row, the first first. Errors: RG400 no such table is audited, RG404. Callers: tenant admin, auditor.';
REVOKE ALL ON FUNCTION @extschema@.audit_history(@extschema@.label_input, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/audit/history', 'audit_history', 'audit.read', 'list', 200, 'History', true, 'read');

-- Who was inside is a question for stays that begin before an instant and end after it, and no index answers that for all. But a stay
-- of at most two hours that holds an instant began in the two hours before it: so there is an index for each length of stay
-- (visits_stays_*, migration audit_departures), and each is read over its own window. Lengths grow fourfold, so at most some times as
-- many stays are looked at as there were people inside. The conditions are the indexes' word by word.
CREATE FUNCTION @extschema@.occupancy_at(site uuid, instant timestamptz) RETURNS int
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    tenant CONSTANT uuid := @extschema@.current_tenant();
BEGIN
    IF NOT EXISTS (SELECT FROM @extschema@.sites s WHERE s.tenant_id = tenant AND s.id = occupancy_at.site) THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT coalesce(sum(o.people), 0) FROM (
        SELECT sum(v.group_size) FROM @extschema@.visits v
         WHERE v.tenant_id = tenant AND v.site_id = occupancy_at.site AND v.state = 'checked_in' AND v.checked_in_at <= occupancy_at.instant
        UNION ALL SELECT sum(v.group_size) FROM @extschema@.visits v
         WHERE v.tenant_id = tenant AND v.site_id = occupancy_at.site AND v.checked_out_at - v.checked_in_at <= '00:30:00'::interval
           AND v.checked_in_at > occupancy_at.instant - '00:30:00'::interval AND v.checked_in_at <= occupancy_at.instant AND v.checked_out_at > occupancy_at.instant
        UNION ALL SELECT sum(v.group_size) FROM @extschema@.visits v
         WHERE v.tenant_id = tenant AND v.site_id = occupancy_at.site AND v.checked_out_at - v.checked_in_at > '00:30:00'::interval
           AND v.checked_out_at - v.checked_in_at <= '02:00:00'::interval
           AND v.checked_in_at > occupancy_at.instant - '02:00:00'::interval AND v.checked_in_at <= occupancy_at.instant AND v.checked_out_at > occupancy_at.instant
        UNION ALL SELECT sum(v.group_size) FROM @extschema@.visits v
         WHERE v.tenant_id = tenant AND v.site_id = occupancy_at.site AND v.checked_out_at - v.checked_in_at > '02:00:00'::interval
           AND v.checked_out_at - v.checked_in_at <= '08:00:00'::interval
           AND v.checked_in_at > occupancy_at.instant - '08:00:00'::interval AND v.checked_in_at <= occupancy_at.instant AND v.checked_out_at > occupancy_at.instant
        UNION ALL SELECT sum(v.group_size) FROM @extschema@.visits v
         WHERE v.tenant_id = tenant AND v.site_id = occupancy_at.site AND v.checked_out_at - v.checked_in_at > '08:00:00'::interval
           AND v.checked_out_at - v.checked_in_at <= '48:00:00'::interval
           AND v.checked_in_at > occupancy_at.instant - '48:00:00'::interval AND v.checked_in_at <= occupancy_at.instant AND v.checked_out_at > occupancy_at.instant
        UNION ALL SELECT sum(v.group_size) FROM @extschema@.visits v
         WHERE v.tenant_id = tenant AND v.site_id = occupancy_at.site AND v.checked_out_at - v.checked_in_at > '48:00:00'::interval
           AND v.checked_out_at > occupancy_at.instant AND v.checked_in_at <= occupancy_at.instant
        -- Who left a group before its visit ended was inside until then.
        UNION ALL SELECT sum(d.people) FROM @extschema@.visit_departures d
         WHERE d.tenant_id = tenant AND d.site_id = occupancy_at.site AND d.left_at - d.checked_in_at <= '08:00:00'::interval
           AND d.checked_in_at > occupancy_at.instant - '08:00:00'::interval AND d.checked_in_at <= occupancy_at.instant AND d.left_at > occupancy_at.instant
        UNION ALL SELECT sum(d.people) FROM @extschema@.visit_departures d
         WHERE d.tenant_id = tenant AND d.site_id = occupancy_at.site AND d.left_at - d.checked_in_at > '08:00:00'::interval
           AND d.left_at > occupancy_at.instant AND d.checked_in_at <= occupancy_at.instant) AS o (people));
END $$;
COMMENT ON FUNCTION @extschema@.occupancy_at(uuid, timestamptz) IS
'How many people were inside a site at an instant, by what is known now: from the instant of a check-in until before that of the check-out, '
'groups whole, less those who had left. NULL: no such site of the tenant. Errors: RG401. Callers: reports, get_site_occupancy.';
REVOKE ALL ON FUNCTION @extschema@.occupancy_at(uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION @extschema@.note_departure() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state = 'checked_in' AND NEW.group_size <> OLD.group_size THEN
        INSERT INTO @extschema@.visit_departures (tenant_id, visit_id, site_id, checked_in_at, left_at, people)
        VALUES (NEW.tenant_id, NEW.id, OLD.site_id, OLD.checked_in_at, now(), OLD.group_size - NEW.group_size);
    END IF;
    IF (NEW.site_id, NEW.checked_in_at) IS DISTINCT FROM (OLD.site_id, OLD.checked_in_at) THEN
        UPDATE @extschema@.visit_departures d SET site_id = NEW.site_id, checked_in_at = coalesce(NEW.checked_in_at, d.checked_in_at)
         WHERE d.tenant_id = NEW.tenant_id AND d.visit_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.note_departure() IS
'AFTER trigger of visits: notes how many of a group left before their visit ended (negative: came after), and keeps it beside the visit.';
REVOKE ALL ON FUNCTION @extschema@.note_departure() FROM PUBLIC;
