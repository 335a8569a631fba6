-- Deploy relygate:audit_imports to pg
-- requires: audit_seals audit_retention
-- extension: 1.1.0
--
-- A history is brought in once, and only of a tenant that has none here: else a row that somebody wrote into a sealed log would be
-- sealed as an import, and excused. What verify_audit() and the guard read of the log's own JSON, they read through functions that
-- no content of it can stop.

BEGIN;

CREATE OR REPLACE FUNCTION relygate.seal_imported(tenant_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    began CONSTANT timestamptz := relygate.begin_sealing();
    made record;
    known bytea;
    its_entries bigint;
BEGIN
    IF EXISTS (SELECT FROM relygate_global.audit_roots r CROSS JOIN LATERAL relygate.audit_manifest(r.leaves) l
                WHERE r.kind <> 'archive' AND l.id = seal_imported.tenant_id) THEN
        RAISE EXCEPTION 'the history of this tenant is sealed here already' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('A root names seals of %s.', seal_imported.tenant_id), HINT = 'Only a tenant that was not here can be brought in, once.';
    END IF;
    SELECT coalesce(string_agg(uuid_send(s.tenant_id) || int8send(s.number) || s.digest, '' ORDER BY s.number), ''), coalesce(sum(s.entries), 0)
      INTO known, its_entries
      FROM relygate.audit_seals_all s
     WHERE s.tenant_id = seal_imported.tenant_id;
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
'what was not sealed there. The root says import, and verify_audit reports it. Errors: as seal_audit; 55000 seals of the tenant are under a root here. Callers: scripts/tenant-import.';

GRANT EXECUTE ON FUNCTION relygate.audit_archive(bytea) TO relygate_audit, relygate_backup;    -- relygate_audit: drop_audit_month() meets the guard
GRANT EXECUTE ON FUNCTION relygate.audit_erased(json) TO relygate_backup;

COMMIT;
