-- Revert relygate:audit_seals from pg

BEGIN;

DROP FUNCTION relygate.seal_audit(), relygate.seal_imported(uuid), relygate.audit_head(), relygate.begin_sealing(),
    relygate.write_seals(text, timestamptz, xid8, xid8, uuid),
    relygate.add_audit_root(text, timestamptz, xid8, xid8, bigint, bytea), relygate.audit_rows(text);
DROP TABLE relygate.audit_seals, relygate_global.audit_roots;
DO $$
DECLARE
    opened record;
BEGIN
    FOR opened IN SELECT i.inhrelid::regclass AS partition, x.indexrelid::regclass AS index
                    FROM pg_inherits i
                    JOIN pg_index x ON x.indrelid = i.inhrelid JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
                   WHERE i.inhparent = 'relygate.audit_log'::regclass AND m.amname = 'brin' LOOP
        EXECUTE format('DROP INDEX %s', opened.index);
        EXECUTE format('DROP POLICY sealing ON %s', opened.partition);
    END LOOP;
END $$;
CREATE OR REPLACE FUNCTION relygate.make_audit_partitions(months_ahead int DEFAULT 3) RETURNS int
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
DROP FUNCTION relygate.let_sealer_read(regclass);
REVOKE ALL ON FUNCTION relygate.verify_audit(text, int), relygate.verify_audit_chain(text), relygate.verify_audit_rows(),
    relygate.audit_changes_digest(bytea, json) FROM relygate_backup;
REVOKE USAGE ON SCHEMA relygate FROM relygate_backup;
REVOKE USAGE ON SCHEMA relygate_global FROM relygate_audit;
REVOKE ALL ON FUNCTION relygate.cluster_identifier(), relygate.audit_manifest(bytea),
    relygate.audit_entry(uuid, uuid, timestamptz, uuid, text, text, text, inet, text, uuid, text, bytea, xid8, bigint),
    relygate.audit_seal_digest(uuid, bigint, timestamptz, bigint, xid8, bytea, bytea),
    relygate.audit_root_digest(bigint, text, timestamptz, bigint, xid8, xid8, bytea, bytea) FROM relygate_audit, relygate_backup;

COMMIT;
