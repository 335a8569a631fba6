-- Digests of the audit's seals (core/audit/seal.hpp) for relygate.seal_audit() of the migrations, and verify_audit(), which
-- computes them all again. verify_audit stands here and not in a migration: a dump brings its migrations' functions along, the
-- extension's come from the installation that checks it.

CREATE FUNCTION @extschema@.cluster_identifier() RETURNS bigint
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_cluster_identifier';
COMMENT ON FUNCTION @extschema@.cluster_identifier() IS 'The system identifier of this cluster, as audit_log.cluster has it.';
REVOKE ALL ON FUNCTION @extschema@.cluster_identifier() FROM PUBLIC;

CREATE FUNCTION @extschema@.audit_entry(tenant_id uuid, id uuid, occurred_at timestamptz, user_id uuid, user_role text,
    database_role text, request_id text, client_address inet, table_name text, row_id uuid, action text, changes_digest bytea,
    xact xid8, cluster bigint) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_audit_entry';
COMMENT ON FUNCTION @extschema@.audit_entry(uuid, uuid, timestamptz, uuid, text, text, text, inet, text, uuid, text, bytea, xid8, bigint) IS
'A row of the audit log as a manifest has it: id, time and a SHA-256 over all columns but changes and salt, for which their digest '
'stands. Callers: seal_audit, verify_audit.';
REVOKE ALL ON FUNCTION @extschema@.audit_entry(uuid, uuid, timestamptz, uuid, text, text, text, inet, text, uuid, text, bytea, xid8, bigint)
    FROM PUBLIC;

CREATE FUNCTION @extschema@.audit_changes_digest(salt bytea, changes json) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_audit_changes_digest';
COMMENT ON FUNCTION @extschema@.audit_changes_digest(bytea, json) IS
'SHA-256(salt || changes) over their very bytes; NULL where the salt has not 16.';
REVOKE ALL ON FUNCTION @extschema@.audit_changes_digest(bytea, json) FROM PUBLIC;

CREATE FUNCTION @extschema@.audit_seal_digest(tenant_id uuid, number bigint, sealed_at timestamptz, cluster bigint, last_xact xid8,
    previous bytea, manifest bytea) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_audit_seal_digest';
COMMENT ON FUNCTION @extschema@.audit_seal_digest(uuid, bigint, timestamptz, bigint, xid8, bytea, bytea) IS
'The digest of a seal; previous: that of the tenant''s seal before, NULL for the first.';
REVOKE ALL ON FUNCTION @extschema@.audit_seal_digest(uuid, bigint, timestamptz, bigint, xid8, bytea, bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.audit_root_digest(number bigint, kind text, sealed_at timestamptz, cluster bigint, bound xid8, next_xact xid8,
    previous bytea, leaves bytea) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_audit_root_digest';
COMMENT ON FUNCTION @extschema@.audit_root_digest(bigint, text, timestamptz, bigint, xid8, xid8, bytea, bytea) IS
'The digest over all seals of one run; previous: that of the run before, NULL for the first.';
REVOKE ALL ON FUNCTION @extschema@.audit_root_digest(bigint, text, timestamptz, bigint, xid8, xid8, bytea, bytea) FROM PUBLIC;

CREATE TYPE @extschema@.audit_manifest_entry AS (id uuid, number bigint, occurred_at timestamptz, entry bytea);
COMMENT ON TYPE @extschema@.audit_manifest_entry IS
'What a manifest says of a row (id, occurred_at), or the leaves of a root of a seal (id of the tenant, number); entry: all its bytes.';

CREATE FUNCTION @extschema@.audit_manifest(manifest bytea) RETURNS SETOF @extschema@.audit_manifest_entry
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10000
AS 'MODULE_PATHNAME', 'relygate_audit_manifest';
COMMENT ON FUNCTION @extschema@.audit_manifest(bytea) IS 'The entries of a manifest, or of the leaves of a root, in their order.';
REVOKE ALL ON FUNCTION @extschema@.audit_manifest(bytea) FROM PUBLIC;

CREATE TYPE @extschema@.audit_finding AS (tenant_id uuid, id uuid, finding text, detail text);
COMMENT ON TYPE @extschema@.audit_finding IS 'One finding of verify_audit(): the row of the audit log (or only its tenant, or neither), a word, a sentence.';

CREATE FUNCTION @extschema@.verify_audit_chain(head text DEFAULT NULL) RETURNS SETOF @extschema@.audit_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    kept_number CONSTANT text := split_part(verify_audit_chain.head, ':', 1);
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
    -- Against a root that was kept elsewhere a cut-off tail shows: what is left is a perfect chain.
    RETURN QUERY
    SELECT NULL::uuid, NULL::uuid, 'cut_off', format('Root %s was kept elsewhere, but %s.', kept_number, CASE
               WHEN r.number IS NULL THEN format('the newest one here is %s', coalesce((SELECT max(n.number) FROM relygate_global.audit_roots n)::text, 'none'))
               ELSE 'here it is another' END)
      FROM (SELECT kept_number::bigint AS number) k LEFT JOIN relygate_global.audit_roots r ON r.number = k.number
     WHERE verify_audit_chain.head IS NOT NULL AND kept_number || ':' || encode(r.root, 'hex') IS DISTINCT FROM verify_audit_chain.head;
    RETURN QUERY
    WITH leaves AS (
        SELECT l.id AS tenant_id, l.number, substring(l.entry FROM 25) AS digest, r.number AS root
          FROM relygate_global.audit_roots r CROSS JOIN LATERAL @extschema@.audit_manifest(r.leaves) l WHERE r.kind <> 'archive'),
    seals AS (
        SELECT s.tenant_id, s.number, s.digest, s.previous,
               lag(s.digest) OVER own AS before, lag(s.number, 1, 0::bigint) OVER own AS number_before,
               @extschema@.audit_seal_digest(s.tenant_id, s.number, s.sealed_at, s.cluster, s.last_xact, s.previous, s.manifest) AS computed
          FROM @extschema@.audit_seals s WINDOW own AS (PARTITION BY s.tenant_id ORDER BY s.number))
    SELECT coalesce(s.tenant_id, l.tenant_id), NULL::uuid, w.finding, format(w.detail, coalesce(s.number, l.number), l.root)
      FROM seals s FULL JOIN leaves l ON l.tenant_id = s.tenant_id AND l.number = s.number
     CROSS JOIN LATERAL (
           SELECT 'seal_removed', 'Seal %s under root %s is not there.' WHERE s.number IS NULL
           UNION ALL SELECT 'seal_unknown', 'Seal %s is under no root.' WHERE l.number IS NULL
           UNION ALL SELECT 'seal_changed', 'Seal %s is not what its digest, its root or the seal before says.'
            WHERE s.digest <> s.computed OR s.digest <> l.digest OR s.previous IS DISTINCT FROM s.before OR s.number_before <> s.number - 1) w (finding, detail);
    RETURN QUERY
    SELECT NULL::uuid, NULL::uuid, CASE r.kind WHEN 'import' THEN 'imported' ELSE 'archived' END, format('Root %s of %s: %s', r.number, r.sealed_at, CASE r.kind
               WHEN 'import' THEN format('%s entries were brought in from another database.', r.entries)
               ELSE format('%s entries of %s were dropped.', r.entries, convert_from(r.leaves, 'UTF8')::json ->> 'month') END)
      FROM relygate_global.audit_roots r WHERE r.kind IN ('import', 'archive') ORDER BY r.number;
    RETURN QUERY
    SELECT NULL::uuid, NULL::uuid, 'archived_wrongly', format('Root %s says %s entries were dropped, the seals have %s of that month.', r.number, m.month ->> 'entries', c.sealed)
      FROM relygate_global.audit_roots r
     CROSS JOIN LATERAL (SELECT convert_from(r.leaves, 'UTF8')::json) m (month)
     CROSS JOIN LATERAL (
           SELECT count(*) AS sealed FROM @extschema@.audit_seals s CROSS JOIN LATERAL @extschema@.audit_manifest(s.manifest) e
            WHERE e.occurred_at >= (m.month ->> 'from')::timestamptz AND e.occurred_at < (m.month ->> 'to')::timestamptz) c
     WHERE r.kind = 'archive' AND (m.month ->> 'entries')::bigint <> c.sealed;
END $$;
COMMENT ON FUNCTION @extschema@.verify_audit_chain(text) IS
'The part of verify_audit() that looks at roots and seals and at no row of the log.';
REVOKE ALL ON FUNCTION @extschema@.verify_audit_chain(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.verify_audit_rows() RETURNS SETOF @extschema@.audit_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET row_security = off SET work_mem = '64MB' SET jit = off AS $$
#variable_conflict use_column
DECLARE
    own CONSTANT bigint := @extschema@.cluster_identifier();
    -- Clocks are set back by a little at times.
    tolerance CONSTANT interval := interval '1 minute';
BEGIN
    RETURN QUERY
    WITH runs AS MATERIALIZED (
        SELECT r.number, r.cluster, r.bound, r.sealed_at, r.leaves,
               lag(r.next_xact) OVER own AS next_before, lag(r.sealed_at) OVER own AS sealed_before
          FROM relygate_global.audit_roots r WHERE r.kind = 'seal' WINDOW own AS (PARTITION BY r.cluster ORDER BY r.number)),
    clusters AS MATERIALIZED (
        SELECT DISTINCT ON (r.cluster) r.cluster, r.bound, r.next_xact, r.sealed_at
          FROM relygate_global.audit_roots r WHERE r.kind = 'seal' ORDER BY r.cluster, r.number DESC),
    tenants AS MATERIALIZED (
        SELECT s.tenant_id, s.cluster, max(s.last_xact) AS last_xact FROM @extschema@.audit_seals s GROUP BY 1, 2),
    seals AS MATERIALIZED (
        SELECT s.tenant_id, s.number, s.sealed_at, r.cluster, r.next_before, r.sealed_before
          FROM @extschema@.audit_seals s
          LEFT JOIN (SELECT l.id AS tenant_id, l.number, r.cluster, r.next_before, r.sealed_before
                       FROM runs r CROSS JOIN LATERAL @extschema@.audit_manifest(r.leaves) l) r
                 ON r.tenant_id = s.tenant_id AND r.number = s.number),
    archived AS MATERIALIZED (
        SELECT (m.leaf ->> 'from')::timestamptz AS begins, (m.leaf ->> 'to')::timestamptz AS ends
          FROM relygate_global.audit_roots r CROSS JOIN LATERAL (SELECT convert_from(r.leaves, 'UTF8')::json) m (leaf) WHERE r.kind = 'archive'),
    erased AS MATERIALIZED (
        SELECT a.tenant_id, e.id::uuid AS id FROM @extschema@.audit_log a
         CROSS JOIN LATERAL json_array_elements_text(a.changes #> '{entries,after}') e (id)
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
      LEFT JOIN clusters c ON c.cluster = p.cluster
      LEFT JOIN tenants t ON t.tenant_id = p.tenant_id AND t.cluster = p.cluster
     CROSS JOIN LATERAL (
           SELECT 'removed', format('The entry of %s in seal %s is not there.', s.occurred_at, s.number)
            WHERE p.id IS NULL AND NOT EXISTS (SELECT FROM archived v WHERE s.occurred_at >= v.begins AND s.occurred_at < v.ends)
           UNION ALL SELECT 'added', format('The entry of %s should be in a seal and is in none.', p.occurred_at)
            WHERE s.id IS NULL AND (p.xact < c.bound OR p.xact <= t.last_xact
                                    OR p.cluster <> own AND EXISTS (SELECT FROM clusters o WHERE o.cluster = own))
           UNION ALL SELECT 'changed', format('The entry is not what seal %s says: who, when or what was changed.', s.number) WHERE p.entry <> s.entry
           UNION ALL SELECT 'changed', 'Its changes do not fit their digest.' WHERE p.is_unfit AND NOT p.is_erased
           UNION ALL SELECT 'erased_unrecorded', 'Its changes are gone, but no erasure says so.'
            WHERE p.is_erased AND NOT EXISTS (SELECT FROM erased e WHERE e.tenant_id = p.tenant_id AND e.id = p.id)
           -- A transaction that began after a run cannot have written before it.
           UNION ALL SELECT 'backdated', format('It says %s, but its transaction began after %s.', p.occurred_at, b.began)
             FROM (SELECT CASE WHEN s.id IS NULL AND p.xact >= c.next_xact THEN c.sealed_at
                               WHEN p.cluster = n.cluster AND p.xact >= n.next_before THEN n.sealed_before END) b (began)
            WHERE p.occurred_at < b.began - tolerance
           UNION ALL SELECT 'postdated', format('It says %s, which was still to come.', p.occurred_at)
            WHERE p.occurred_at > coalesce(CASE WHEN p.cluster = n.cluster THEN n.sealed_at END, clock_timestamp()) + tolerance) f (finding, detail)
     WHERE s.id IS NULL OR p.id IS NULL OR p.entry <> s.entry OR p.is_unfit
        OR p.xact >= n.next_before AND p.occurred_at < n.sealed_before - tolerance OR p.occurred_at > n.sealed_at + tolerance;
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
'Computes every digest of the audit again: rows that were changed, removed, added, backdated, postdated or erased without a record, seals '
'and roots that were changed, removed or are unknown; with head (audit_head() as it was kept elsewhere) a cut-off tail. No row is right; '
'archived and imported are only told. At most finding_limit rows of the log. Errors: 42501 a caller whom policies hold, 22023 no head. '
'Callers: a superuser, relygate_backup.';
REVOKE ALL ON FUNCTION @extschema@.verify_audit(text, int) FROM PUBLIC;
