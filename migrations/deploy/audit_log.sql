-- Deploy relygate:audit_log to pg
-- requires: schemas
--
-- Every change of a tenant's row. The table belongs to relygate_audit, which has no member: rows come from the trigger function
-- relygate.audit_row alone, and nobody changes or removes one, not even a superuser (ENABLE ALWAYS), until he drops the triggers.
-- changes is json, not jsonb: changes_digest = SHA-256(salt || changes) is over its very bytes, which no release may reformat.
-- xact and cluster (the system identifier) are for sealing: ids of transactions begin again where a dump is restored.

BEGIN;

CREATE TABLE relygate.audit_log (
    tenant_id      uuid        NOT NULL,
    id             uuid        NOT NULL DEFAULT relygate.uuid_v7(),
    occurred_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id        uuid,
    user_role      text        COLLATE "C",
    database_role  text        COLLATE "C" NOT NULL,
    request_id     text        COLLATE "C",
    client_address inet,
    table_name     text        COLLATE "C" NOT NULL,
    row_id         uuid        NOT NULL,
    action         text        COLLATE "C" NOT NULL CONSTRAINT audit_log_action CHECK (action IN ('insert', 'update', 'delete')),
    changes        json,
    salt           bytea       CONSTRAINT audit_log_salt CHECK (octet_length(salt) = 16),
    changes_digest bytea       NOT NULL CONSTRAINT audit_log_digest CHECK (octet_length(changes_digest) = 32),
    xact           xid8        NOT NULL DEFAULT pg_current_xact_id(),
    cluster        bigint      NOT NULL,
    PRIMARY KEY (tenant_id, occurred_at, id),
    CONSTRAINT audit_log_erased CHECK ((changes IS NULL) = (salt IS NULL))
) PARTITION BY RANGE (occurred_at);
CREATE INDEX audit_log_row ON relygate.audit_log (tenant_id, table_name, row_id, occurred_at DESC, id DESC);
CREATE INDEX audit_log_user ON relygate.audit_log (tenant_id, user_id, occurred_at DESC, id DESC);

COMMENT ON TABLE relygate.audit_log IS 'Every change of a tenant''s row: who, when, from where, what. Append-only, a partition a month (UTC).';
COMMENT ON COLUMN relygate.audit_log.user_id IS 'The user of the request; null where a DBA worked without one.';
COMMENT ON COLUMN relygate.audit_log.user_role IS 'The role that the user had then.';
COMMENT ON COLUMN relygate.audit_log.database_role IS 'The login of the database session: relygate_shim for requests.';
COMMENT ON COLUMN relygate.audit_log.changes IS
'Changed columns, {"column": {"before": ..., "after": ...}}; secrets never. Null: erased on behalf of a person.';
COMMENT ON COLUMN relygate.audit_log.changes_digest IS 'SHA-256(salt || changes); it stays when both are erased.';
COMMENT ON COLUMN relygate.audit_log.xact IS 'The transaction of the change.';
COMMENT ON COLUMN relygate.audit_log.cluster IS 'The system identifier of the cluster in which it happened.';

ALTER TABLE relygate.audit_log
    ALTER COLUMN user_id SET STATISTICS 0, ALTER COLUMN client_address SET STATISTICS 0, ALTER COLUMN changes SET STATISTICS 0;

ALTER TABLE relygate.audit_log OWNER TO relygate_audit;
REVOKE ALL ON relygate.audit_log FROM PUBLIC;
GRANT SELECT ON relygate.audit_log TO relygate_api;
-- The trigger's INSERT runs as relygate_audit and meets the policies like everybody's.
GRANT CREATE ON SCHEMA relygate TO relygate_audit;
GRANT EXECUTE ON FUNCTION relygate.current_tenant(), relygate.uuid_v7() TO relygate_audit;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON relygate.audit_log
    FOR EACH ROW EXECUTE FUNCTION relygate.refuse_audit_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON relygate.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION relygate.refuse_audit_change();
ALTER TABLE relygate.audit_log ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER append_only_truncate;

SELECT relygate.protect_table('relygate.audit_log');

-- Asked directly a partition ignores its parent's policies: with FORCE and no policy of its own it shows nothing. CREATE and
-- ATTACH take no lock that stops writers, as PARTITION OF and a DEFAULT partition would.
CREATE FUNCTION relygate.make_audit_partitions(months_ahead int DEFAULT 3) RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz;
    partition text;
    disarmed record;
    made int := 0;
BEGIN
    LOCK TABLE relygate.audit_log IN SHARE UPDATE EXCLUSIVE MODE;    -- two runs at once
    FOR ahead IN 0..months_ahead LOOP
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
        EXECUTE format('ALTER TABLE relygate.audit_log ATTACH PARTITION relygate.%I FOR VALUES FROM (%L) TO (%L)',
                       partition, month, month + interval '1 month');
        made := made + 1;
    END LOOP;
    -- A restore with --disable-triggers leaves them enabled, but not ALWAYS.
    FOR disarmed IN SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                     WHERE t.tgname IN ('append_only', 'append_only_truncate') AND t.tgenabled <> 'A'
                       AND c.relowner = 'relygate_audit'::regrole LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', disarmed.relation, disarmed.tgname);
    END LOOP;
    RETURN made;
END $$;
COMMENT ON FUNCTION relygate.make_audit_partitions(int) IS
'Makes the partitions of the audit log for this month and the next ones, and says how many; arms the '
'triggers of the log again after a restore with --disable-triggers. To be run at least once a month; scripts/migrate up runs it too. Without a partition no row of a tenant can change.';
ALTER FUNCTION relygate.make_audit_partitions(int) OWNER TO relygate_audit;
REVOKE ALL ON FUNCTION relygate.make_audit_partitions(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION relygate.refuse_audit_change() TO relygate_audit;
GRANT EXECUTE ON FUNCTION relygate.make_audit_partitions(int) TO relygate_owner;

SELECT relygate.make_audit_partitions();

COMMIT;
