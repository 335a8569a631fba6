-- Deploy relygate:audit_retention to pg
-- requires: audit_guard
-- extension: 1.1.0
--
-- The one way in which old entries go: a whole month, after each of its rows was found in a seal and as the seal says. The seals
-- stay, with the digest of every row, and a root of kind archive tells what went; so verify_audit() says archived, not removed,
-- and rows that come back from a file can be compared with their seals.

BEGIN;

CREATE FUNCTION relygate.drop_audit_month(month text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s'
SET work_mem = '64MB' SET jit = off AS $$
#variable_conflict use_column
DECLARE
    began CONSTANT timestamptz := relygate.begin_sealing();
    begins timestamptz;
    ends timestamptz;
    partition regclass;
    its_entries bigint;
    amiss bigint;
    head text;
BEGIN
    IF drop_audit_month.month IS NULL OR drop_audit_month.month !~ '^\d{4}-(0[1-9]|1[0-2])$' THEN
        RAISE EXCEPTION 'a month is asked for, as 2026-01' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    begins := (drop_audit_month.month || '-01')::timestamptz;
    ends := begins + interval '1 month';
    SELECT i.inhrelid::regclass INTO partition FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'relygate.audit_log'::regclass AND c.relname = 'audit_log_' || replace(drop_audit_month.month, '-', '_');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no audit log of %', drop_audit_month.month USING ERRCODE = 'undefined_table';
    ELSIF ends > began THEN
        RAISE EXCEPTION 'the month % is not over', drop_audit_month.month USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE s.entry IS DISTINCT FROM p.entry OR p.is_unfit) FROM '
        '(SELECT a.tenant_id, a.id, a.changes IS NOT NULL AND a.changes_digest IS DISTINCT FROM relygate.audit_changes_digest(a.salt, a.changes) AS is_unfit, '
        'relygate.audit_entry(a.tenant_id, a.id, a.occurred_at, a.user_id, a.user_role, a.database_role, a.request_id, a.client_address, '
        'a.table_name, a.row_id, a.action, a.changes_digest, a.xact, a.cluster) AS entry FROM %s a) p FULL JOIN '
        '(SELECT s.tenant_id, m.id, m.entry FROM relygate.audit_seals_all s CROSS JOIN LATERAL relygate.audit_manifest(s.manifest) m '
        'WHERE m.occurred_at >= $1 AND m.occurred_at < $2) s ON s.tenant_id = p.tenant_id AND s.id = p.id', partition)
       INTO its_entries, amiss USING begins, ends;
    IF amiss > 0 THEN
        RAISE EXCEPTION 'the audit log of % cannot be dropped', drop_audit_month.month USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('%s of %s entries are not in a seal, are gone, or are not what their seal says.', amiss, its_entries),
            HINT = 'Run relygate.seal_audit(), then see relygate.verify_audit().';
    END IF;
    head := relygate.add_audit_root('archive', began, '0', '0', its_entries, convert_to(json_build_object(
        'month', drop_audit_month.month, 'partition', partition::text, 'from', begins, 'to', ends, 'entries', its_entries, 'by', session_user)::text, 'UTF8'));
    EXECUTE format('DROP TABLE %s', partition);
    RETURN head;
END $$;
COMMENT ON FUNCTION relygate.drop_audit_month(text) IS
'Drops a month (2026-01, UTC) of the audit log of all tenants, after each of its rows was compared with its seal, and returns the head of '
'the audit, which says so from now on. Dump the partition before. Waits at most 5 s for the lock, for which writers wait as well. Errors: '
'22023 no month, 42P01 none of that month, 55000 not over, not sealed or changed, 55P03. Callers: a DBA.';
ALTER FUNCTION relygate.drop_audit_month(text) OWNER TO relygate_audit;
REVOKE ALL ON FUNCTION relygate.drop_audit_month(text) FROM PUBLIC;

COMMIT;
