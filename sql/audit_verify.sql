-- verify_audit(), which computes every digest of the audit again. It stands here and not in a migration: a dump brings its migrations'
-- functions along, the extension's come from the installation that checks it.

CREATE TYPE @extschema@.audit_finding AS (tenant_id uuid, id uuid, finding text, detail text);
COMMENT ON TYPE @extschema@.audit_finding IS 'One finding of verify_audit(): the row of the audit log (or only its tenant, or neither), a word, a sentence.';

CREATE FUNCTION @extschema@.verify_audit_chain(head text DEFAULT NULL) RETURNS SETOF @extschema@.audit_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    kept_number CONSTANT text := split_part(verify_audit_chain.head, ':', 1);
    own CONSTANT bigint := @extschema@.cluster_identifier();
    -- The first transaction that has not begun; of one that asks in its own transaction, also that.
    next_here CONSTANT xid8 := greatest(pg_snapshot_xmax(pg_current_snapshot()), pg_current_xact_id_if_assigned());
    -- As for rows: clocks are set back by a little at times, and that of another machine may differ by more.
    tolerance CONSTANT interval := interval '1 minute';
    difference CONSTANT interval := interval '10 minutes';
BEGIN
    IF verify_audit_chain.head !~ '^[1-9][0-9]{0,17}:[0-9a-f]{64}$' THEN
        RAISE EXCEPTION 'this is no head of an audit' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it as relygate.audit_head() does: number:hex.';
    END IF;
    RETURN QUERY
    SELECT NULL::uuid, NULL::uuid, 'root_missing', format('There is no root %s before root %s.', r.number - 1, r.number)
      FROM (SELECT r.number, lag(r.number, 1, 0::bigint) OVER (ORDER BY r.number) AS before FROM relygate_global.audit_roots r) r
     WHERE r.before <> r.number - 1
    UNION ALL
    SELECT NULL, NULL, 'root_changed', format('Root %s of %s is not what its digest says, or not chained to the root before.', r.number, r.sealed_at)
      FROM (SELECT r.*, lag(r.root) OVER (ORDER BY r.number) AS before FROM relygate_global.audit_roots r) r
     WHERE r.previous IS DISTINCT FROM r.before
        OR r.root <> @extschema@.audit_root_digest(r.number, r.kind, r.sealed_at, r.cluster, r.bound, r.next_xact, r.previous, r.leaves);
    -- Rows are measured by what the runs before say: a root that somebody adds, digest and all, must not excuse what he backdates.
    RETURN QUERY
    SELECT NULL::uuid, NULL::uuid, 'sealed_wrongly', format('Root %s of %s cannot have been: %s.', r.number, r.sealed_at, w.detail)
      FROM (SELECT r.*, max(r.sealed_at) FILTER (WHERE r.is_whole) OVER earlier AS sealed_before, max(r.sealed_at) FILTER (WHERE r.is_whole) OVER own AS own_sealed_before,
                   max(r.bound) FILTER (WHERE r.is_whole) OVER own AS bound_before, max(r.next_xact) FILTER (WHERE r.is_whole) OVER own AS next_before
              FROM (SELECT r.number, r.kind, r.sealed_at, r.cluster, r.bound, r.next_xact, r.entries,
                           r.root = @extschema@.audit_root_digest(r.number, r.kind, r.sealed_at, r.cluster, r.bound, r.next_xact, r.previous, r.leaves) AS is_whole
                      FROM relygate_global.audit_roots r) r
            WINDOW earlier AS (ORDER BY r.number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                   own AS (PARTITION BY r.cluster ORDER BY r.number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) r
     CROSS JOIN LATERAL (
           SELECT 'its run has sealed nothing' WHERE r.kind = 'seal' AND r.entries <= 0
           UNION ALL SELECT 'its bound is later than the transactions that had begun' WHERE r.bound > r.next_xact
           UNION ALL SELECT 'its transactions are earlier than those of a run before' WHERE r.kind = 'seal' AND (r.bound < r.bound_before OR r.next_xact < r.next_before)
           UNION ALL SELECT format('transaction %s has not begun', r.next_xact) WHERE r.cluster = own AND r.next_xact > next_here
           UNION ALL SELECT 'it is earlier than a root before'
            WHERE r.sealed_at < r.own_sealed_before - tolerance OR r.sealed_at < r.sealed_before - difference OR r.sealed_at = '-infinity'
           UNION ALL SELECT 'it is still to come'
            WHERE r.sealed_at > clock_timestamp() + CASE WHEN r.cluster = own THEN tolerance ELSE difference END) w (detail)
     WHERE r.is_whole;
    -- Against a root that was kept elsewhere a cut-off tail shows: what is left is a perfect chain.
    RETURN QUERY
    SELECT NULL::uuid, NULL::uuid, 'cut_off', format('Root %s was kept elsewhere, but %s.', kept_number, CASE
               WHEN r.number IS NULL THEN format('the newest one here is %s', coalesce((SELECT max(n.number) FROM relygate_global.audit_roots n)::text, 'none'))
               ELSE 'here it is another' END)
      FROM (SELECT kept_number::bigint AS number) k LEFT JOIN relygate_global.audit_roots r ON r.number = k.number
     WHERE verify_audit_chain.head IS NOT NULL AND kept_number || ':' || encode(r.root, 'hex') IS DISTINCT FROM verify_audit_chain.head;
    -- In no digest is how many rows there are: it must be what the manifests have.
    RETURN QUERY
    WITH leaves AS MATERIALIZED (
        SELECT l.id AS tenant_id, l.number, substring(l.entry FROM 25) AS digest, r.number AS root, count(*) OVER (PARTITION BY l.id, l.number) AS roots
          FROM relygate_global.audit_roots r CROSS JOIN LATERAL @extschema@.audit_manifest(r.leaves) l WHERE r.kind <> 'archive'),
    seals AS MATERIALIZED (
        SELECT s.*, s.digest = s.computed AND s.previous IS NOT DISTINCT FROM s.before AND s.number_before = s.number - 1 AS is_whole
          FROM (SELECT s.tenant_id, s.number, s.digest, s.previous, s.entries, octet_length(s.manifest) / 56 AS listed,
                       lag(s.digest) OVER own AS before, lag(s.number, 1, 0::bigint) OVER own AS number_before,
                       @extschema@.audit_seal_digest(s.tenant_id, s.number, s.sealed_at, s.cluster, s.last_xact, s.previous, s.manifest) AS computed
                  FROM @extschema@.audit_seals s WINDOW own AS (PARTITION BY s.tenant_id ORDER BY s.number)) s),
    counted AS (
        SELECT l.root, sum(s.listed) AS entries
          FROM leaves l LEFT JOIN seals s ON s.tenant_id = l.tenant_id AND s.number = l.number
         GROUP BY l.root HAVING bool_and(coalesce(s.is_whole AND s.digest = l.digest, false)))
    SELECT coalesce(s.tenant_id, l.tenant_id), NULL::uuid, w.finding, format(w.detail, coalesce(s.number, l.number), l.root)
      FROM seals s FULL JOIN leaves l ON l.tenant_id = s.tenant_id AND l.number = s.number
     CROSS JOIN LATERAL (
           SELECT 'seal_removed', 'Seal %s under root %s is not there.' WHERE s.number IS NULL
           UNION ALL SELECT 'seal_unknown', 'Seal %s is under no root.' WHERE l.number IS NULL
           UNION ALL SELECT 'sealed_twice', 'Seal %s is under root %s and under another one.' WHERE l.roots > 1
           UNION ALL SELECT 'seal_changed', 'Seal %s is not what its digest, its root or the seal before says.' WHERE NOT s.is_whole OR s.digest <> l.digest
           UNION ALL SELECT 'seal_changed', 'Seal %s says another number of entries than it has.'
            WHERE s.is_whole AND s.digest = l.digest AND s.entries <> s.listed) w (finding, detail)
    UNION ALL
    SELECT NULL, NULL, 'root_changed', format('Root %s says %s entries, its seals have %s.', r.number, r.entries, coalesce(c.entries, 0))
      FROM relygate_global.audit_roots r LEFT JOIN counted c ON c.root = r.number
     WHERE r.kind <> 'archive' AND r.entries <> coalesce(c.entries, 0) AND (c.root IS NOT NULL OR NOT EXISTS (SELECT FROM leaves l WHERE l.root = r.number));
    -- What else came from another database is told of each tenant; but a tenant that has a history here can bring in none.
    RETURN QUERY
    SELECT t.tenant_id, NULL::uuid, w.finding, format(w.detail, r.number, r.sealed_at, r.entries, t.first_root)
      FROM relygate_global.audit_roots r
      LEFT JOIN (SELECT l.tenant_id, l.root, min(l.root) OVER (PARTITION BY l.tenant_id) AS first_root
                   FROM (SELECT DISTINCT l.id AS tenant_id, r.number AS root FROM relygate_global.audit_roots r
                          CROSS JOIN LATERAL @extschema@.audit_manifest(r.leaves) l WHERE r.kind <> 'archive') l) t ON t.root = r.number
     CROSS JOIN LATERAL (
           SELECT 'imported', 'Root %s of %s: %s entries were brought in from another database.'
           UNION ALL SELECT 'imported_wrongly', 'Root %s of %s brings in %s entries of a tenant that has been sealed here since root %s.' WHERE t.first_root < r.number) w (finding, detail)
     WHERE r.kind = 'import' ORDER BY r.number;
    RETURN QUERY
    WITH archives AS MATERIALIZED (
        SELECT r.number, r.sealed_at, r.entries, v.month, v.begins, v.ends, v.entries AS said
          FROM relygate_global.audit_roots r CROSS JOIN LATERAL @extschema@.audit_archive(r.leaves) v WHERE r.kind = 'archive'),
    sealed AS (
        SELECT a.number, count(*) AS entries
          FROM archives a
          JOIN (SELECT DISTINCT ON (l.id, l.number) r.number AS root, l.id AS tenant_id, l.number FROM relygate_global.audit_roots r
                 CROSS JOIN LATERAL @extschema@.audit_manifest(r.leaves) l WHERE r.kind <> 'archive' ORDER BY l.id, l.number, r.number) l ON l.root < a.number
          JOIN @extschema@.audit_seals s ON s.tenant_id = l.tenant_id AND s.number = l.number
         CROSS JOIN LATERAL @extschema@.audit_manifest(s.manifest) e
         WHERE e.occurred_at >= a.begins AND e.occurred_at < a.ends GROUP BY a.number)
    SELECT NULL::uuid, NULL::uuid, w.finding, format(w.detail, a.number, a.sealed_at, a.said, a.month, coalesce(s.entries, 0))
      FROM archives a LEFT JOIN sealed s ON s.number = a.number
     CROSS JOIN LATERAL (
           SELECT 'archived', 'Root %s of %s: %s entries of %s were dropped.' WHERE a.month IS NOT NULL
           UNION ALL SELECT 'archived_wrongly', 'Root %s of %s is no record of a month that was dropped.' WHERE a.month IS NULL
           UNION ALL SELECT 'archived_wrongly', 'Root %s of %s says %s entries of %s were dropped, the seals before it have %s of that month.'
            WHERE a.said <> coalesce(s.entries, 0) OR a.entries <> a.said
           UNION ALL SELECT 'archived_wrongly', 'Root %s of %s says %s entries of %s were dropped, but that month was not over.'
            WHERE a.ends > least(a.sealed_at, clock_timestamp())) w (finding, detail)
     ORDER BY a.number;
END $$;
COMMENT ON FUNCTION @extschema@.verify_audit_chain(text) IS
'The part of verify_audit() that looks at roots and seals and at no row of the log.';
REVOKE ALL ON FUNCTION @extschema@.verify_audit_chain(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.verify_audit_rows() RETURNS SETOF @extschema@.audit_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET row_security = off SET work_mem = '64MB' SET jit = off AS $$
#variable_conflict use_column
DECLARE
    own CONSTANT bigint := @extschema@.cluster_identifier();
    seals_here CONSTANT boolean := EXISTS (SELECT FROM relygate_global.audit_roots r WHERE r.cluster = own AND r.kind = 'seal');
    next_here CONSTANT xid8 := greatest(pg_snapshot_xmax(pg_current_snapshot()), pg_current_xact_id_if_assigned());
    today CONSTANT timestamptz := clock_timestamp();
    -- Clocks are set back by a little at times, and that of another machine may differ by more.
    tolerance CONSTANT interval := interval '1 minute';
    difference CONSTANT interval := interval '10 minutes';
    -- So long a row may wait for its seal.
    patience CONSTANT interval := interval '1 day';
BEGIN
    -- Where this cluster seals at all. Elsewhere, as in a backup that is looked at, nothing has stood still.
    RETURN QUERY
    SELECT NULL::uuid, NULL::uuid, 'unsealed', format('%s entries since %s are in no seal; the last run of seal_audit() was at %s.', w.entries, w.since, l.sealed_at)
      FROM (SELECT r.bound, r.next_xact, r.sealed_at FROM relygate_global.audit_roots r WHERE r.cluster = own AND r.kind = 'seal' ORDER BY r.number DESC LIMIT 1) l
     CROSS JOIN LATERAL (
           SELECT count(*) AS entries, min(a.occurred_at) AS since FROM @extschema@.audit_log a
            LEFT JOIN (SELECT s.tenant_id, max(s.last_xact) AS last_xact FROM @extschema@.audit_seals s WHERE s.cluster = own GROUP BY 1) t ON t.tenant_id = a.tenant_id
            WHERE a.cluster = own AND a.xact >= l.bound AND a.occurred_at < clock_timestamp() - patience
              AND (t.last_xact IS NULL OR a.xact > t.last_xact)
              AND NOT (a.xact >= l.next_xact AND a.occurred_at < l.sealed_at - tolerance)) w    -- this one is backdated
     WHERE w.entries > 0;
    RETURN QUERY
    SELECT s.tenant_id, m.id, 'sealed_twice', format('It is in seal %s and again in seal %s.', min(s.number), max(s.number))
      FROM @extschema@.audit_seals s CROSS JOIN LATERAL @extschema@.audit_manifest(s.manifest) m GROUP BY s.tenant_id, m.id HAVING count(*) > 1;
    RETURN QUERY
    WITH runs AS MATERIALIZED (
        SELECT r.number, r.cluster, r.bound, r.next_xact, r.sealed_at, lag(r.number) OVER (PARTITION BY r.cluster ORDER BY r.number) AS before,
               max(r.sealed_at) OVER (ORDER BY r.number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS sealed_before
          FROM relygate_global.audit_roots r WHERE r.kind = 'seal'),
    -- What came from the bound of a run on: after which run it began at the latest. So one run too many, which says that more had begun, excuses nothing.
    floors AS MATERIALIZED (
        SELECT f.number, f.floor_at
          FROM (SELECT u.number, max(u.sealed_at) OVER (PARTITION BY u.cluster ORDER BY u.xact, u.number NULLS FIRST ROWS UNBOUNDED PRECEDING) AS floor_at
                  FROM (SELECT r.cluster, r.next_xact AS xact, NULL::bigint AS number, r.sealed_at FROM runs r
                        UNION ALL SELECT r.cluster, r.bound, r.number, NULL FROM runs r) u) f
         WHERE f.number IS NOT NULL),
    -- What a run (0: the next one) knows of the rows of a cluster by the run before there. The first run in a cluster takes rows of others, too.
    steps AS MATERIALIZED (
        SELECT t.run, t.cluster, t.sealed_before, r.number AS before, r.bound, r.next_xact, r.sealed_at, f.floor_at
          FROM (SELECT r.number AS run, r.cluster, r.before, r.sealed_before FROM runs r
                UNION ALL SELECT r.number, c.cluster, (SELECT max(o.number) FROM runs o WHERE o.cluster = c.cluster AND o.number < r.number), r.sealed_before
                  FROM runs r JOIN (SELECT DISTINCT s.cluster FROM @extschema@.audit_seals s) c ON c.cluster <> r.cluster WHERE r.before IS NULL
                UNION ALL SELECT 0, r.cluster, max(r.number), NULL FROM runs r GROUP BY r.cluster) t
          LEFT JOIN runs r ON r.number = t.before LEFT JOIN floors f ON f.number = t.before),
    tenants AS MATERIALIZED (
        SELECT s.tenant_id, s.cluster, max(s.last_xact) AS last_xact FROM @extschema@.audit_seals s GROUP BY 1, 2),
    -- root: the first that names it. What is known of the run that sealed it, of an import is not.
    seals AS MATERIALIZED (
        SELECT s.tenant_id, s.number, r.root, r.run, r.cluster, r.run_at, r.is_second
          FROM @extschema@.audit_seals s
          LEFT JOIN (SELECT DISTINCT ON (l.id, l.number) l.id AS tenant_id, l.number, r.number AS root, n.number AS run, n.cluster, n.sealed_at AS run_at,
                            r.kind = 'import' AND r.number > min(r.number) OVER (PARTITION BY l.id) AS is_second
                       FROM relygate_global.audit_roots r CROSS JOIN LATERAL @extschema@.audit_manifest(r.leaves) l LEFT JOIN runs n ON n.number = r.number
                      WHERE r.kind <> 'archive' ORDER BY l.id, l.number, r.number) r
                 ON r.tenant_id = s.tenant_id AND r.number = s.number),
    known AS MATERIALIZED (
        SELECT n.tenant_id, min(n.run) AS first_run FROM seals n GROUP BY 1),
    -- Months that are gone: of the tenants that had rows there nothing is left. What was read back is compared like the rest.
    archived AS MATERIALIZED (
        SELECT r.number AS root, v.begins, v.ends
          FROM relygate_global.audit_roots r CROSS JOIN LATERAL @extschema@.audit_archive(r.leaves) v
         CROSS JOIN LATERAL (SELECT array_agg(DISTINCT n.tenant_id) AS known FROM seals n WHERE n.root < r.number) t
          LEFT JOIN LATERAL (SELECT true AS is_there FROM @extschema@.audit_log a
                              WHERE a.occurred_at >= v.begins AND a.occurred_at < v.ends AND a.tenant_id = ANY (t.known) LIMIT 1) o ON true
         WHERE r.kind = 'archive' AND v.month IS NOT NULL AND o.is_there IS NULL),
    erased AS MATERIALIZED (
        SELECT a.tenant_id, unnest(@extschema@.audit_erased(a.changes)) AS id FROM @extschema@.audit_log a
         WHERE a.table_name = 'audit_log' AND a.action = 'update' AND a.changes IS NOT NULL),
    sealed AS (
        SELECT s.tenant_id, s.number, m.id, m.occurred_at, m.entry FROM @extschema@.audit_seals s CROSS JOIN LATERAL @extschema@.audit_manifest(s.manifest) m),
    present AS (
        SELECT a.tenant_id, a.id, a.occurred_at, a.xact, a.cluster, a.changes IS NULL AS is_erased,
               a.changes_digest IS DISTINCT FROM @extschema@.audit_changes_digest(a.salt, a.changes) AS is_unfit,
               @extschema@.audit_entry(a.tenant_id, a.id, a.occurred_at, a.user_id, a.user_role, a.database_role, a.request_id,
                   a.client_address, a.table_name, a.row_id, a.action, a.changes_digest, a.xact, a.cluster) AS entry
          FROM @extschema@.audit_log a)
    SELECT coalesce(p.tenant_id, s.tenant_id), coalesce(p.id, s.id), f.finding, f.detail
      FROM sealed s FULL JOIN present p ON p.tenant_id = s.tenant_id AND p.id = s.id
      LEFT JOIN seals n ON n.tenant_id = s.tenant_id AND n.number = s.number
      LEFT JOIN tenants t ON t.tenant_id = p.tenant_id AND t.cluster = p.cluster
      LEFT JOIN steps b ON b.run = CASE WHEN s.id IS NULL THEN 0 ELSE n.run END AND b.cluster = p.cluster
      LEFT JOIN known k ON k.tenant_id = p.tenant_id
     -- A transaction that began after a run cannot have written before it. In a cluster that has not sealed before, the log came from where the last run was;
     -- but a tenant that no run had sealed may have been brought in, with rows of its own time.
     CROSS JOIN LATERAL (
           SELECT CASE WHEN b.before IS NOT NULL THEN CASE WHEN p.xact >= b.next_xact THEN b.sealed_at WHEN p.xact >= b.bound THEN b.floor_at END - tolerance
                       WHEN s.id IS NULL AND k.first_run IS NOT NULL THEN (SELECT max(r.sealed_at) FROM runs r) - difference
                       WHEN k.first_run < n.run THEN b.sealed_before - difference END) g (begins)
     CROSS JOIN LATERAL (
           SELECT 'removed', format('The entry of %s in seal %s is not there.', s.occurred_at, s.number)
            WHERE p.id IS NULL AND NOT EXISTS (SELECT FROM archived v WHERE s.occurred_at >= v.begins AND s.occurred_at < v.ends AND n.root < v.root)
           UNION ALL SELECT 'imported_wrongly', format('The entry of %s in seal %s was brought in to a tenant that was sealed here before.', s.occurred_at, s.number) WHERE n.is_second
           -- A run takes what came after the one before, of its own cluster; the first there what others had not sealed.
           UNION ALL SELECT 'sealed_late', format('Seal %s has it, but the run before should have sealed it, and it was not there.', s.number)
            WHERE p.entry = s.entry AND n.run IS NOT NULL AND (b.run IS NULL OR p.xact < b.bound)
           UNION ALL SELECT 'added', format('The entry of %s should be in a seal and is in none.', p.occurred_at)
            WHERE s.id IS NULL AND (p.xact < b.bound OR p.xact <= t.last_xact OR p.cluster <> own AND seals_here)
           UNION ALL SELECT 'changed', format('The entry is not what seal %s says: who, when or what was changed.', s.number) WHERE p.entry <> s.entry
           UNION ALL SELECT 'changed', 'Its changes do not fit their digest.' WHERE p.is_unfit AND NOT p.is_erased
           UNION ALL SELECT 'erased_unrecorded', 'Its changes are gone, but no erasure says so.'
            WHERE p.is_erased AND NOT EXISTS (SELECT FROM erased e WHERE e.tenant_id = p.tenant_id AND e.id = p.id)
           UNION ALL SELECT 'backdated', format('It says %s, but its transaction began later, after a run.', p.occurred_at) WHERE p.occurred_at < g.begins
           UNION ALL SELECT 'postdated', format('It says %s, which was still to come.', p.occurred_at)
            WHERE p.occurred_at > coalesce(CASE WHEN p.cluster = n.cluster THEN n.run_at END, today) + tolerance
           UNION ALL SELECT 'postdated', format('It says transaction %s, which has not begun.', p.xact) WHERE p.cluster = own AND p.xact > next_here) f (finding, detail)
     WHERE s.id IS NULL OR p.id IS NULL OR p.entry <> s.entry OR p.is_unfit OR p.occurred_at < g.begins OR p.occurred_at > coalesce(n.run_at, today) + tolerance
        OR p.xact > next_here OR n.is_second OR n.run IS NOT NULL AND (b.run IS NULL OR p.xact < b.bound);
END $$;
COMMENT ON FUNCTION @extschema@.verify_audit_rows() IS
'The part of verify_audit() that compares each row of the log with the manifests of the seals.';
REVOKE ALL ON FUNCTION @extschema@.verify_audit_rows() FROM PUBLIC;

CREATE FUNCTION @extschema@.verify_audit(head text DEFAULT NULL, finding_limit int DEFAULT 1000) RETURNS SETOF @extschema@.audit_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.verify_audit_chain(verify_audit.head);
    RETURN QUERY SELECT * FROM @extschema@.verify_audit_rows() LIMIT verify_audit.finding_limit;
END $$;
COMMENT ON FUNCTION @extschema@.verify_audit(text, int) IS
'Computes every digest of the audit again: rows that were changed, removed, added, backdated, postdated, erased without a record, sealed '
'late, twice or not at all, seals and roots that were changed, removed or are unknown, runs, drops and imports that cannot have been; with head '
'(audit_head() as it was kept elsewhere) a cut-off tail. No row is right; archived and imported are only told. At most finding_limit rows of the log. Errors: 42501 a caller whom policies hold, 22023 no head. '
'Callers: a superuser, relygate_backup.';
REVOKE ALL ON FUNCTION @extschema@.verify_audit(text, int) FROM PUBLIC;
