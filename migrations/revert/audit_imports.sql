-- Revert relygate:audit_imports from pg

BEGIN;

REVOKE EXECUTE ON FUNCTION relygate.audit_archive(bytea) FROM relygate_audit, relygate_backup;
REVOKE EXECUTE ON FUNCTION relygate.audit_erased(json) FROM relygate_backup;
CREATE OR REPLACE FUNCTION relygate.seal_imported(tenant_id uuid) RETURNS text
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

COMMIT;
