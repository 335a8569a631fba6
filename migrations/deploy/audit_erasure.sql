-- Deploy relygate:audit_erasure to pg
-- requires: audit_seals
-- extension: 1.1.0
--
-- What a person can ask for: the values in the audit go, that something happened stays. Only changes and salt are taken; their
-- digest, which the seals are made of, stays and cannot be guessed from without the salt. Each erasure is an entry itself, which
-- names the entries: verify_audit() takes nothing else for an excuse.

BEGIN;

CREATE FUNCTION relygate.erase_person(person_id uuid, reason text) RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tenant CONSTANT uuid := relygate.current_tenant();
    -- Of a visit these are personal; when it came and went, and with how many, is not.
    personal CONSTANT text[] := ARRAY['purpose', 'vehicle_no', 'remark'];
    salt CONSTANT bytea := relygate.random_bytes(16);
    erased uuid[];
    record json;
BEGIN
    IF erase_person.reason IS NULL OR length(trim(erase_person.reason)) NOT BETWEEN 1 AND 500 THEN
        RAISE EXCEPTION 'an erasure needs a reason of 1 to 500 characters' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WITH visits AS (
        SELECT DISTINCT a.row_id FROM relygate.audit_log a
         WHERE a.tenant_id = tenant AND a.table_name = 'visits' AND a.changes::text LIKE '%' || erase_person.person_id || '%'
           AND erase_person.person_id::text IN (a.changes #>> '{visitor_id,after}', a.changes #>> '{visitor_id,before}')),
    taken AS (
        UPDATE relygate.audit_log a SET changes = NULL, salt = NULL
         WHERE a.tenant_id = tenant AND a.changes IS NOT NULL
           AND (a.table_name IN ('visitors', 'hosts', 'users') AND a.row_id = erase_person.person_id
                OR a.table_name = 'visits' AND a.row_id IN (SELECT v.row_id FROM visits v) AND a.changes::jsonb ?| personal)
        RETURNING a.id)
    SELECT array_agg(t.id ORDER BY t.id) INTO erased FROM taken t;
    IF erased IS NULL THEN
        RETURN 0;
    END IF;
    record := json_build_object('reason', json_build_object('after', trim(erase_person.reason)), 'entries', json_build_object('after', to_json(erased)));
    INSERT INTO relygate.audit_log (tenant_id, user_id, user_role, database_role, request_id, client_address, table_name, row_id, action,
                                    changes, salt, changes_digest, cluster)
    VALUES (tenant, relygate.current_user_id(), nullif(current_setting('app.user_role', true), ''), session_user,
            nullif(current_setting('app.request_id', true), ''),
            coalesce(nullif(current_setting('app.client_address', true), '')::inet, inet_client_addr()), 'audit_log',
            erase_person.person_id, 'update', record, salt, relygate.audit_changes_digest(salt, record), relygate.cluster_identifier());
    RETURN cardinality(erased);
END $$;
COMMENT ON FUNCTION relygate.erase_person(uuid, text) IS
'Takes the values of a person (the id of a visitor, host or user of the current tenant) out of the audit log: of his own rows all, of his visits '
'those that name purpose, vehicle or remark. Seals stay valid. First change or delete the row itself, that is audited as well. Returns '
'how many entries lost their values; notes that, and why, as an entry on table audit_log. Errors: RG401, 22023 no reason. Callers: a DBA.';
ALTER FUNCTION relygate.erase_person(uuid, text) OWNER TO relygate_audit;
REVOKE ALL ON FUNCTION relygate.erase_person(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION relygate.erase_person(uuid, text) TO relygate_owner;
GRANT EXECUTE ON FUNCTION relygate.current_user_id(), relygate.random_bytes(int), relygate.audit_changes_digest(bytea, json) TO relygate_audit;

COMMIT;
