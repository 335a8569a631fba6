-- Verify relygate:audit_log on pg

BEGIN;

SELECT tenant_id, id, occurred_at, user_id, user_role, database_role, request_id, client_address, table_name, row_id, action,
       changes, salt, changes_digest, xact, cluster
  FROM relygate.audit_log WHERE false;
DO $$ BEGIN
    ASSERT (SELECT bool_and(c.relrowsecurity AND c.relforcerowsecurity AND c.relowner = 'relygate_audit'::regrole)
              FROM pg_class c WHERE c.oid = 'relygate.audit_log'::regclass
                 OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'relygate.audit_log'::regclass)),
        'unprotected table or partition, or not relygate_audit''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.audit_log'::regclass), 'a policy is missing';
    ASSERT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'relygate'::regnamespace AND relispartition
                      AND relname = 'audit_log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')), 'no partition for this month';
    ASSERT NOT EXISTS (
        SELECT FROM (SELECT 'relygate.audit_log'::regclass::oid UNION ALL
                     SELECT inhrelid FROM pg_inherits WHERE inhparent = 'relygate.audit_log'::regclass) t (oid)
         WHERE (SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = t.oid AND g.tgenabled = 'A'
                   AND g.tgname IN ('append_only', 'append_only_truncate')) <> 2), 'a partition is not append-only';
    ASSERT NOT has_table_privilege('relygate_api', 'relygate.audit_log', 'INSERT, UPDATE, DELETE, TRUNCATE'), 'the API could write the audit log';
    ASSERT (SELECT prosecdef AND proowner = 'relygate_audit'::regrole FROM pg_proc
             WHERE oid = 'relygate.make_audit_partitions(int)'::regprocedure), 'make_audit_partitions is not relygate_audit''s';
END $$;

ROLLBACK;
