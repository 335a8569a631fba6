-- Digests of the audit's seals (core/audit/seal.hpp) for relygate.seal_audit() of the migrations and verify_audit(), and what else is
-- read out of bytes and JSON of the log. A superuser may have written anything there: what cannot be read is NULL, never an error that
-- would end verify_audit() before it has named anything. What catches errors is PARALLEL UNSAFE: it begins a subtransaction.

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

CREATE TYPE @extschema@.audit_archived AS (month text, partition text, begins timestamptz, ends timestamptz, entries bigint);
COMMENT ON TYPE @extschema@.audit_archived IS 'What a root of kind archive says of the month that drop_audit_month() dropped.';

CREATE FUNCTION @extschema@.audit_archive(leaves bytea) RETURNS @extschema@.audit_archived
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    record json;
    said @extschema@.audit_archived;
    month timestamptz;
BEGIN
    record := convert_from(audit_archive.leaves, 'UTF8')::json;
    said := (record ->> 'month', record ->> 'partition', record ->> 'from', record ->> 'to', record ->> 'entries')::@extschema@.audit_archived;
    IF said.month ~ '^\d{4}-(0[1-9]|1[0-2])$' THEN
        month := (said.month || '-01')::timestamptz;
        IF said.partition = '@extschema@.audit_log_' || replace(said.month, '-', '_') AND said.begins = month AND said.ends = month + interval '1 month'
           AND said.entries >= 0 THEN
            RETURN said;
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.audit_archive(bytea) IS
'The leaves of a root of kind archive; NULL unless they are of a whole month and of the partition that is named after it. Callers: '
'verify_audit, the guard.';
REVOKE ALL ON FUNCTION @extschema@.audit_archive(bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.audit_erased(changes json) RETURNS uuid[]
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT array_agg(e.id::uuid) FROM json_array_elements_text(audit_erased.changes #> '{entries,after}') e (id));
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.audit_erased(json) IS
'The entries that lost their changes, by the changes of an entry of erase_person(); NULL where they name none. Callers: verify_audit.';
REVOKE ALL ON FUNCTION @extschema@.audit_erased(json) FROM PUBLIC;
