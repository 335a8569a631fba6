-- Verify relygate:audit_seals on pg

BEGIN;

SELECT tenant_id, number, sealed_at, cluster, last_xact, entries, previous, manifest, digest FROM relygate.audit_seals WHERE false;
SELECT number, kind, sealed_at, cluster, bound, next_xact, entries, previous, leaves, root FROM relygate_global.audit_roots WHERE false;
DO $$ BEGIN
    ASSERT NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent IN ('relygate.audit_log'::regclass, 'relygate.audit_seals'::regclass)
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND c.relowner = 'relygate_audit'::regrole
                    AND (SELECT array_agg(p.polname::text || p.polroles::text) FROM pg_policy p WHERE p.polrelid = c.oid)
                        = ARRAY['sealing{' || 'relygate_audit'::regrole::oid || '}'])), 'a partition is open, or closed to the sealer';
    ASSERT (SELECT count(*) = 6 FROM pg_trigger t WHERE t.tgname IN ('append_only', 'append_only_truncate') AND t.tgenabled = 'A'
               AND t.tgrelid IN ('relygate.audit_seals'::regclass, 'relygate.audit_seals_all'::regclass, 'relygate_global.audit_roots'::regclass)),
        'seals are not append-only';
    ASSERT (SELECT bool_and(p.prosecdef AND p.proowner = 'relygate_audit'::regrole) FROM pg_proc p
             WHERE p.oid IN ('relygate.seal_audit()'::regprocedure, 'relygate.audit_head()'::regprocedure)), 'the sealer is not relygate_audit';
    ASSERT NOT has_table_privilege('relygate_api', 'relygate.audit_seals', 'INSERT, UPDATE, DELETE, TRUNCATE'), 'the API could write seals';
END $$;

ROLLBACK;
