-- The audit: the trigger that writes it, the one that keeps it, and how it is read. The table comes from a migration and belongs
-- to relygate_audit, whom audit_row becomes around its INSERT; nobody else may insert, nobody may change or remove a row.

CREATE FUNCTION @extschema@.audit_row() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'relygate_audit_row';
COMMENT ON FUNCTION @extschema@.audit_row() IS
'AFTER trigger for each row: notes who changed what. Nothing for an update that changes nothing but updated_at. Argument: the '
'tenant''s column, if it is not tenant_id. Errors: 55000 an update of the id or the tenant.';
REVOKE ALL ON FUNCTION @extschema@.audit_row() FROM PUBLIC;

CREATE FUNCTION @extschema@.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- erase_person() takes what changed and its salt, and nothing else: the digest stays, and so every seal.
    IF TG_OP = 'UPDATE' AND current_user = 'relygate_audit' AND TG_TABLE_NAME LIKE 'audit\_log%'
       AND to_jsonb(NEW) ->> 'changes' IS NULL AND to_jsonb(NEW) ->> 'salt' IS NULL
       AND to_jsonb(NEW) - '{changes,salt}'::text[] = to_jsonb(OLD) - '{changes,salt}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit log is append-only' USING ERRCODE = 'insufficient_privilege',
        DETAIL = format('%s of "%s" was refused.', TG_OP, TG_TABLE_NAME);
END $$;
COMMENT ON FUNCTION @extschema@.refuse_audit_change() IS
'Trigger of the audit log and its seals: refuses UPDATE, DELETE and TRUNCATE, but for what erase_person() does. Errors: 42501.';
REVOKE ALL ON FUNCTION @extschema@.refuse_audit_change() FROM PUBLIC;

CREATE TYPE @extschema@.audit_entry AS (
    id uuid, occurred_at timestamptz, user_id uuid, user_name text, user_role text, database_role text, request_id text,
    client_address text, table_name text, row_id uuid, action text, changes json, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.audit_entry IS
'A change of a row as the API answers it; changes is {"column": {"before": ..., "after": ...}}.';

CREATE FUNCTION @extschema@.list_audit("table" @extschema@.label_input DEFAULT NULL, key uuid DEFAULT NULL, "user" uuid DEFAULT NULL,
    "from" @extschema@.moment_input DEFAULT NULL, "to" @extschema@.moment_input DEFAULT NULL, page_limit int DEFAULT 21,
    page_offset int DEFAULT 0, after text[] DEFAULT NULL, counting boolean DEFAULT false,
    sort @extschema@.audit_sort_input DEFAULT '-occurredAt') RETURNS SETOF @extschema@.audit_entry
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    begins timestamptz := @extschema@.moment_start(list_audit."from", @extschema@.zone_of(), 'from');
    ends timestamptz := @extschema@.moment_end(list_audit."to", @extschema@.zone_of(), 'to');
    audited text[];
BEGIN
    IF list_audit."table" IS NOT NULL THEN
        audited := ARRAY(SELECT c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                          WHERE t.tgfoid = '@extschema@.audit_row()'::regprocedure ORDER BY 1);
        IF list_audit."table" <> ALL (audited) THEN
            PERFORM @extschema@.refuse(400, 'unknown', 'no such table is audited', format('Known are %s.', array_to_string(audited, ', ')),
                                       field => 'table');
        END IF;
    END IF;
    RETURN QUERY WITH matching AS NOT MATERIALIZED (   -- the filter stands once, for page and total
        SELECT a.*, NULL::text AS word, a.occurred_at AS moment FROM @extschema@.audit_log a
         WHERE a.tenant_id = (SELECT @extschema@.current_tenant())
           AND (list_audit."table" IS NULL OR a.table_name = list_audit."table")
           AND (list_audit.key IS NULL OR a.row_id = list_audit.key)
           AND (list_audit."user" IS NULL OR a.user_id = list_audit."user")
           AND (begins IS NULL OR a.occurred_at >= begins)
           AND (ends IS NULL OR a.occurred_at < ends)),
    page AS (SELECT row_number() OVER () AS place, o.* FROM (SELECT m.* FROM matching m WHERE (after IS NULL OR @extschema@.comes_after(sort, m.word, m.moment, m.id, after))
              ORDER BY CASE WHEN sort LIKE '-%' THEN m.moment END DESC, CASE WHEN sort LIKE '-%' THEN m.id END DESC, m.moment, m.id
              LIMIT page_limit OFFSET page_offset) o)
    SELECT p.id, p.occurred_at, p.user_id, u.user_name::text, p.user_role::text, p.database_role::text, p.request_id::text,
           host(p.client_address), p.table_name::text, p.row_id, p.action::text, p.changes, ARRAY[@extschema@.sort_key(p.word, p.moment), p.id::text],
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      FROM page p LEFT JOIN @extschema@.users u ON u.tenant_id = p.tenant_id AND u.id = p.user_id
     ORDER BY p.place;
END $$;
COMMENT ON FUNCTION @extschema@.list_audit(@extschema@.label_input, uuid, uuid, @extschema@.moment_input, @extschema@.moment_input, int, int, text[], boolean,
    @extschema@.audit_sort_input) IS
'Who changed what, the latest first: of a table, of a row (key: its id), by a user. from and to: a date is a day of the tenant, to inclusive; an instant as '
'to is exclusive. Errors: RG400. Callers: tenant admin, auditor.';
REVOKE ALL ON FUNCTION @extschema@.list_audit(@extschema@.label_input, uuid, uuid, @extschema@.moment_input, @extschema@.moment_input, int, int, text[], boolean,
    @extschema@.audit_sort_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/audit', 'list_audit', 'audit.read', 'list', 200, 'Audit log', true, 'read');
