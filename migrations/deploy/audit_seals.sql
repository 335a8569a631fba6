-- Deploy relygate:audit_seals to pg
-- requires: audit_log guard
-- extension: 1.1.0
--
-- Seals: what happened can be changed, by a superuser, but not unseen. seal_audit() puts each tenant's new rows into seals that are
-- chained, and all seals of a run under one root; verify_audit() of the extension computes everything again.
--
-- The sealer sees every tenant's rows without BYPASSRLS and without choosing a tenant: a partition that is asked directly ignores
-- its parent's policies and has one of its own, `sealing`, for relygate_audit alone. That role has no member and no login; it is
-- whoever runs the functions below, and the trigger's INSERT, which goes to the parent and is held to the tenant. Tenants read
-- by the parent, under its policies. The other ways were worse: SET on app.tenant_id for relygate_audit would let its functions
-- choose a tenant for everybody, and rows of a tenant that nobody lists would never be sealed.

BEGIN;

GRANT USAGE ON SCHEMA relygate_global TO relygate_audit;

-- A single partition, only so that the sealer can ask it directly.
CREATE TABLE relygate.audit_seals (
    tenant_id uuid        NOT NULL,
    number    bigint      NOT NULL CONSTRAINT audit_seals_number CHECK (number > 0),
    sealed_at timestamptz NOT NULL,
    cluster   bigint      NOT NULL,
    last_xact xid8        NOT NULL,
    entries   int         NOT NULL,
    previous  bytea,
    manifest  bytea       NOT NULL,
    digest    bytea       NOT NULL CONSTRAINT audit_seals_digest CHECK (octet_length(digest) = 32),
    PRIMARY KEY (tenant_id, number)
) PARTITION BY HASH (tenant_id);
ALTER TABLE relygate.audit_seals ALTER COLUMN manifest SET STORAGE EXTERNAL;    -- digests cannot be compressed
COMMENT ON TABLE relygate.audit_seals IS 'The sealed rows of the audit log of each tenant, in seals that are chained by their digests.';
COMMENT ON COLUMN relygate.audit_seals.number IS '1, 2, 3 ... of the tenant.';
COMMENT ON COLUMN relygate.audit_seals.cluster IS 'The cluster in which its rows came to be.';
COMMENT ON COLUMN relygate.audit_seals.last_xact IS 'The last transaction among its rows.';
COMMENT ON COLUMN relygate.audit_seals.entries IS 'How many rows it seals.';
COMMENT ON COLUMN relygate.audit_seals.previous IS 'The digest of the tenant''s seal before.';
COMMENT ON COLUMN relygate.audit_seals.manifest IS 'relygate.audit_entry() of each row, in order of transaction and id.';
COMMENT ON COLUMN relygate.audit_seals.digest IS 'relygate.audit_seal_digest() over all of this.';

CREATE TABLE relygate_global.audit_roots (
    number    bigint      NOT NULL PRIMARY KEY CONSTRAINT audit_roots_number CHECK (number > 0),
    kind      text        COLLATE "C" NOT NULL CONSTRAINT audit_roots_kind CHECK (kind IN ('seal', 'import', 'archive')),
    sealed_at timestamptz NOT NULL,
    cluster   bigint      NOT NULL,
    bound     xid8        NOT NULL,
    next_xact xid8        NOT NULL,
    entries   bigint      NOT NULL,
    previous  bytea,
    leaves    bytea       NOT NULL,
    root      bytea       NOT NULL CONSTRAINT audit_roots_root CHECK (octet_length(root) = 32)
);
ALTER TABLE relygate_global.audit_roots ALTER COLUMN leaves SET STORAGE EXTERNAL;
COMMENT ON TABLE relygate_global.audit_roots IS 'One row a run of seal_audit: a digest over all its seals, chained to the run before.';
COMMENT ON COLUMN relygate_global.audit_roots.kind IS
'seal: all new rows; import: a tenant''s history from elsewhere; archive: a month that was dropped after it was checked.';
COMMENT ON COLUMN relygate_global.audit_roots.bound IS 'Rows of this cluster and of transactions before it are sealed.';
COMMENT ON COLUMN relygate_global.audit_roots.next_xact IS 'The first transaction that had not begun when the run began.';
COMMENT ON COLUMN relygate_global.audit_roots.entries IS 'How many rows of the audit log it is about.';
COMMENT ON COLUMN relygate_global.audit_roots.leaves IS
'Of each seal the tenant, the number and the digest; of an archived month what was dropped, as JSON.';
COMMENT ON COLUMN relygate_global.audit_roots.root IS 'relygate.audit_root_digest() over all of this.';

ALTER TABLE relygate.audit_seals OWNER TO relygate_audit;
ALTER TABLE relygate_global.audit_roots OWNER TO relygate_audit;
REVOKE ALL ON relygate.audit_seals, relygate_global.audit_roots FROM PUBLIC;
GRANT SELECT ON relygate.audit_seals TO relygate_api;

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['relygate.audit_seals', 'relygate_global.audit_roots'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %s FOR EACH ROW '
                       'EXECUTE FUNCTION relygate.refuse_audit_change()', kept);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION relygate.refuse_audit_change()', kept);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER append_only_truncate', kept);
    END LOOP;
END $$;
SELECT relygate.protect_table('relygate.audit_seals');

CREATE TABLE relygate.audit_seals_all (LIKE relygate.audit_seals INCLUDING STORAGE INCLUDING CONSTRAINTS);
ALTER TABLE relygate.audit_seals_all OWNER TO relygate_audit;
REVOKE ALL ON relygate.audit_seals_all FROM PUBLIC;
ALTER TABLE relygate.audit_seals_all ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sealing ON relygate.audit_seals_all TO relygate_audit USING (true);
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON relygate.audit_seals_all
    FOR EACH STATEMENT EXECUTE FUNCTION relygate.refuse_audit_change();
ALTER TABLE relygate.audit_seals_all ENABLE ALWAYS TRIGGER append_only_truncate;
ALTER TABLE relygate.audit_seals ATTACH PARTITION relygate.audit_seals_all FOR VALUES WITH (MODULUS 1, REMAINDER 0);

-- Partitions of the log: the policy, and an index that costs an insert nothing and lets a run pass over what is sealed.
CREATE FUNCTION relygate.let_sealer_read(partition regclass) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE POLICY sealing ON %s FOR SELECT TO relygate_audit USING (true)', let_sealer_read.partition);
    EXECUTE format('CREATE INDEX ON %s USING brin ((xact::text::bigint)) WITH (autosummarize = on)', let_sealer_read.partition);
END $$;
COMMENT ON FUNCTION relygate.let_sealer_read(regclass) IS 'Opens a partition of the audit log to relygate_audit, and to nobody else.';
ALTER FUNCTION relygate.let_sealer_read(regclass) OWNER TO relygate_audit;

CREATE OR REPLACE FUNCTION relygate.make_audit_partitions(months_ahead int DEFAULT 3) RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz;
    partition text;
    disarmed record;
    made int := 0;
BEGIN
    LOCK TABLE relygate.audit_log IN SHARE UPDATE EXCLUSIVE MODE;    -- two runs at once
    FOR ahead IN least(months_ahead, 0)..greatest(months_ahead, 0) LOOP    -- below 0: past months, for history from elsewhere
        month := date_trunc('month', now()) + make_interval(months => ahead);
        partition := 'audit_log_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'relygate'::regnamespace AND c.relname = partition);
        EXECUTE format('CREATE TABLE relygate.%I (LIKE relygate.audit_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
        EXECUTE format('ALTER TABLE relygate.%I ALTER user_id SET STATISTICS 0, ALTER client_address SET STATISTICS 0, '
                       'ALTER changes SET STATISTICS 0', partition);
        EXECUTE format('REVOKE ALL ON relygate.%I FROM PUBLIC', partition);
        EXECUTE format('ALTER TABLE relygate.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON relygate.%I FOR EACH STATEMENT '
                       'EXECUTE FUNCTION relygate.refuse_audit_change()', partition);
        EXECUTE format('ALTER TABLE relygate.%I ENABLE ALWAYS TRIGGER append_only_truncate', partition);
        PERFORM relygate.let_sealer_read(format('relygate.%I', partition)::regclass);
        EXECUTE format('ALTER TABLE relygate.audit_log ATTACH PARTITION relygate.%I FOR VALUES FROM (%L) TO (%L)',
                       partition, month, month + interval '1 month');
        made := made + 1;
    END LOOP;
    -- A restore with --disable-triggers and without the guard leaves them enabled, but not ALWAYS.
    FOR disarmed IN SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                     WHERE t.tgname IN ('append_only', 'append_only_truncate') AND t.tgenabled <> 'A'
                       AND c.relowner = 'relygate_audit'::regrole LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', disarmed.relation, disarmed.tgname);
    END LOOP;
    RETURN made;
END $$;

SELECT relygate.let_sealer_read(i.inhrelid) FROM pg_inherits i WHERE i.inhparent = 'relygate.audit_log'::regclass;

-- Sealing ----------------------------------------------------------------------------------------------------------------

CREATE FUNCTION relygate.audit_rows(condition text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hidden text;
BEGIN
    -- Without the policy a partition would look empty, and its rows would go unsealed without a word.
    SELECT string_agg(i.inhrelid::regclass::text, ', ') INTO hidden FROM pg_inherits i
     WHERE i.inhparent = 'relygate.audit_log'::regclass
       AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = i.inhrelid AND p.polname = 'sealing' AND p.polpermissive
                          AND p.polroles = ARRAY['relygate_audit'::regrole::oid] AND p.polcmd IN ('r', '*'))
        OR i.inhparent = 'relygate.audit_log'::regclass
       AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = i.inhrelid AND p.polname <> 'sealing');
    IF hidden IS NOT NULL THEN
        RAISE EXCEPTION 'the rows of a partition of the audit log cannot be seen' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('The policy sealing is missing or not alone on %s.', hidden), HINT = 'See relygate.validate_schema().';
    END IF;
    RETURN (SELECT string_agg(format('SELECT a.tenant_id, a.cluster, a.xact, a.id, relygate.audit_entry(a.tenant_id, a.id, a.occurred_at, '
            'a.user_id, a.user_role, a.database_role, a.request_id, a.client_address, a.table_name, a.row_id, a.action, '
            'a.changes_digest, a.xact, a.cluster) AS entry FROM %s a WHERE %s', i.inhrelid::regclass, audit_rows.condition), ' UNION ALL ')
              FROM pg_inherits i WHERE i.inhparent = 'relygate.audit_log'::regclass);
END $$;
COMMENT ON FUNCTION relygate.audit_rows(text) IS
'The text of a query for rows of all partitions under a condition on "a": tenant_id, cluster, xact, id, entry. Errors: 55000 a '
'partition hides its rows.';
ALTER FUNCTION relygate.audit_rows(text) OWNER TO relygate_audit;

CREATE FUNCTION relygate.add_audit_root(kind text, sealed_at timestamptz, bound xid8, next_xact xid8, entries bigint, leaves bytea)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    own CONSTANT bigint := relygate.cluster_identifier();
    last record;
    head text;
BEGIN
    SELECT r.number, r.root INTO last FROM relygate_global.audit_roots r ORDER BY r.number DESC LIMIT 1;
    INSERT INTO relygate_global.audit_roots AS r (number, kind, sealed_at, cluster, bound, next_xact, entries, previous, leaves, root)
    SELECT n.number, add_audit_root.kind, add_audit_root.sealed_at, own, add_audit_root.bound, add_audit_root.next_xact,
           add_audit_root.entries, last.root, add_audit_root.leaves,
           relygate.audit_root_digest(n.number, add_audit_root.kind, add_audit_root.sealed_at, own, add_audit_root.bound,
               add_audit_root.next_xact, last.root, add_audit_root.leaves)
      FROM (SELECT coalesce(last.number, 0) + 1) AS n (number)
    RETURNING r.number || ':' || encode(r.root, 'hex') INTO head;
    -- In the server's log it is out of reach of whoever may change the tables.
    RAISE LOG 'relygate audit head %', head;
    RETURN head;
END $$;
COMMENT ON FUNCTION relygate.add_audit_root(text, timestamptz, xid8, xid8, bigint, bytea) IS
'Adds a root and returns it as audit_head() does; to be called under the lock on audit_roots.';
ALTER FUNCTION relygate.add_audit_root(text, timestamptz, xid8, xid8, bigint, bytea) OWNER TO relygate_audit;

CREATE FUNCTION relygate.write_seals(rows text, sealed_at timestamptz, floor xid8, bound xid8, tenant uuid,
    OUT entries bigint, OUT leaves bytea)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET jit = off AS $$
#variable_conflict use_column
DECLARE
    seal_size CONSTANT int := 20000;
    own CONSTANT bigint := relygate.cluster_identifier();
    found_tenant uuid; its_cluster bigint; its_entries int; its_last_xact xid8; its_manifest bytea;
    last_number bigint;
    last_digest bytea;
    its_tenant uuid;
    digest bytea;
    leaf_list bytea[] := ARRAY[]::bytea[];
BEGIN
    -- The query is that of audit_rows(), from nobody else. @plpgsql_check_options: security_warnings = off
    entries := 0;
    FOR found_tenant, its_cluster, its_entries, its_last_xact, its_manifest IN EXECUTE format('SELECT p.tenant_id, p.cluster, count(*)::int AS entries, max(p.xact) AS last_xact, '
            'string_agg(p.entry, '''' ORDER BY p.xact, p.id) AS manifest '
            'FROM (SELECT r.*, (row_number() OVER (PARTITION BY r.tenant_id, r.cluster ORDER BY r.xact, r.id) - 1) / %s AS part FROM (%s) r) p '
            'GROUP BY p.tenant_id, p.cluster, p.part ORDER BY p.tenant_id, p.cluster, p.part', seal_size, write_seals.rows)
        USING own, write_seals.floor, write_seals.bound, write_seals.tenant LOOP
        IF its_tenant IS DISTINCT FROM found_tenant THEN
            its_tenant := found_tenant;
            SELECT s.number, s.digest INTO last_number, last_digest FROM relygate.audit_seals_all s
             WHERE s.tenant_id = its_tenant ORDER BY s.number DESC LIMIT 1;
        END IF;
        last_number := coalesce(last_number, 0) + 1;
        digest := relygate.audit_seal_digest(its_tenant, last_number, write_seals.sealed_at, its_cluster, its_last_xact, last_digest, its_manifest);
        INSERT INTO relygate.audit_seals_all (tenant_id, number, sealed_at, cluster, last_xact, entries, previous, manifest, digest)
        VALUES (its_tenant, last_number, write_seals.sealed_at, its_cluster, its_last_xact, its_entries, last_digest, its_manifest, digest);
        last_digest := digest;
        entries := entries + its_entries;
        leaf_list := leaf_list || (uuid_send(its_tenant) || int8send(last_number) || digest);
    END LOOP;
    leaves := coalesce((SELECT string_agg(l.leaf, '' ORDER BY l.place) FROM unnest(leaf_list) WITH ORDINALITY AS l (leaf, place)), '');
END $$;
COMMENT ON FUNCTION relygate.write_seals(text, timestamptz, xid8, xid8, uuid) IS
'Seals the rows of a query of audit_rows() tenant by tenant; its parameters are cluster, floor, bound and tenant. Returns how many '
'and the leaves of their root.';
ALTER FUNCTION relygate.write_seals(text, timestamptz, xid8, xid8, uuid) OWNER TO relygate_audit;

-- Each statement must see what was committed before it: the roots after the lock, the rows after the bound.
CREATE FUNCTION relygate.begin_sealing() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the audit can only be sealed in a read committed transaction' USING ERRCODE = 'active_sql_transaction',
            HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED.';
    END IF;
    LOCK TABLE relygate_global.audit_roots IN SHARE ROW EXCLUSIVE MODE;    -- one sealer; writers of the log never come here
    RETURN clock_timestamp();
END $$;
COMMENT ON FUNCTION relygate.begin_sealing() IS 'Waits for other sealers and tells the time before any row is looked at. Errors: 25001.';
ALTER FUNCTION relygate.begin_sealing() OWNER TO relygate_audit;

CREATE FUNCTION relygate.seal_audit() RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    own CONSTANT bigint := relygate.cluster_identifier();
    began CONSTANT timestamptz := relygate.begin_sealing();
    snapshot pg_snapshot;
    floor xid8;
    made record;
    rows text;
BEGIN
    -- Whatever a transaction before xmin wrote can be seen by now, in every partition; what a later one wrote, the next run sees.
    -- "id > last" would miss the rows of a transaction that was still running.
    SELECT pg_current_snapshot() INTO snapshot;
    SELECT r.bound INTO floor FROM relygate_global.audit_roots r WHERE r.cluster = own AND r.kind = 'seal' ORDER BY r.number DESC LIMIT 1;
    -- A tenant that came from another database of this cluster brought seals along for what it brought.
    rows := format('SELECT f.* FROM (%s) f LEFT JOIN (SELECT s.tenant_id, s.cluster, max(s.last_xact) AS last_xact FROM relygate.audit_seals_all s GROUP BY 1, 2) s'
        ' ON s.tenant_id = f.tenant_id AND s.cluster = f.cluster'
        ' LEFT JOIN (SELECT r.cluster, max(r.bound) AS bound FROM relygate_global.audit_roots r WHERE r.kind = ''seal'' GROUP BY 1) r ON r.cluster = f.cluster'
        ' WHERE (s.last_xact IS NULL OR f.xact > s.last_xact) AND (r.bound IS NULL OR f.xact >= r.bound)',
        -- The first run in this cluster, perhaps after a restore: also rows of the old cluster that it had not sealed.
        relygate.audit_rows(CASE WHEN floor IS NULL THEN 'a.cluster <> $1 OR a.xact < $3'
            ELSE 'a.cluster = $1 AND a.xact::text::bigint >= $2::text::bigint AND a.xact::text::bigint < $3::text::bigint' END));
    SELECT w.entries, w.leaves INTO made FROM relygate.write_seals(rows, began, floor, pg_snapshot_xmin(snapshot), NULL) w;
    IF made.entries = 0 THEN
        RETURN relygate.audit_head();
    END IF;
    RETURN relygate.add_audit_root('seal', began, pg_snapshot_xmin(snapshot), pg_snapshot_xmax(snapshot), made.entries, made.leaves);
END $$;
COMMENT ON FUNCTION relygate.seal_audit() IS
'Seals all rows of the audit log whose transactions have ended and returns the newest root, as audit_head() does: keep it elsewhere. '
'One runs at a time, writers go on. Errors: 25001 not read committed, 55000 a partition hides its rows. Callers: scheduled work.';

CREATE FUNCTION relygate.seal_imported(tenant_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    began CONSTANT timestamptz := relygate.begin_sealing();
    made record;
    known bytea;
    its_entries bigint;
BEGIN
    SELECT coalesce(string_agg(uuid_send(s.tenant_id) || int8send(s.number) || s.digest, '' ORDER BY s.number), ''), coalesce(sum(s.entries), 0)
      INTO known, its_entries
      FROM relygate.audit_seals_all s
     WHERE s.tenant_id = seal_imported.tenant_id
       AND NOT EXISTS (SELECT FROM relygate_global.audit_roots r CROSS JOIN LATERAL relygate.audit_manifest(r.leaves) l
                        WHERE r.kind <> 'archive' AND l.id = s.tenant_id AND l.number = s.number);
    -- What seal_audit() will seal is left to it.
    SELECT w.entries, w.leaves INTO made FROM relygate.write_seals(relygate.audit_rows(
        'a.tenant_id = $4 AND (a.cluster <> $1 OR a.xact < $2) AND NOT EXISTS (SELECT FROM (SELECT (relygate.audit_manifest(s.manifest)).id FROM relygate.audit_seals_all s '
        'WHERE s.tenant_id = $4) m WHERE m.id = a.id)'), began,
        coalesce((SELECT max(r.bound) FROM relygate_global.audit_roots r WHERE r.kind = 'seal' AND r.cluster = relygate.cluster_identifier()), '0'),
        NULL, seal_imported.tenant_id) w;
    IF made.entries + its_entries = 0 THEN
        RETURN relygate.audit_head();
    END IF;
    RETURN relygate.add_audit_root('import', began, '0', '0', its_entries + made.entries, known || made.leaves);
END $$;
COMMENT ON FUNCTION relygate.seal_imported(uuid) IS
'After the audit log and the seals of a tenant were brought in from another database: puts its seals under a root of this one and seals '
'what was not sealed there. The root says import, and verify_audit reports it. Errors: as seal_audit. Callers: scripts/tenant-import.';

CREATE FUNCTION relygate.audit_head() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT r.number || ':' || encode(r.root, 'hex') FROM relygate_global.audit_roots r ORDER BY r.number DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION relygate.audit_head() IS
'The newest root as number:hex, NULL before the first seal. Kept elsewhere it lets verify_audit(head) find a tail that was cut off.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['seal_audit()', 'seal_imported(uuid)', 'audit_head()'] LOOP
        EXECUTE format('ALTER FUNCTION relygate.%s OWNER TO relygate_audit', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['let_sealer_read(regclass)', 'audit_rows(text)', 'add_audit_root(text, timestamptz, xid8, xid8, bigint, bytea)',
        'write_seals(text, timestamptz, xid8, xid8, uuid)', 'begin_sealing()', 'seal_audit()', 'seal_imported(uuid)', 'audit_head()'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION relygate.%s FROM PUBLIC', name);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION relygate.seal_audit(), relygate.seal_imported(uuid), relygate.audit_head() TO relygate_owner;
GRANT USAGE ON SCHEMA relygate TO relygate_backup;
GRANT EXECUTE ON FUNCTION relygate.audit_head(), relygate.verify_audit(text, int), relygate.verify_audit_chain(text), relygate.verify_audit_rows(),
    relygate.audit_changes_digest(bytea, json) TO relygate_backup;
GRANT EXECUTE ON FUNCTION relygate.cluster_identifier(), relygate.audit_manifest(bytea),
    relygate.audit_entry(uuid, uuid, timestamptz, uuid, text, text, text, inet, text, uuid, text, bytea, xid8, bigint),
    relygate.audit_seal_digest(uuid, bigint, timestamptz, bigint, xid8, bytea, bytea),
    relygate.audit_root_digest(bigint, text, timestamptz, bigint, xid8, xid8, bytea, bytea) TO relygate_audit, relygate_backup;

COMMIT;
