-- The guard of the audit: event triggers that refuse what would open or unseal it, a superuser's commands too, until he disables
-- them; validate_schema() lists the same. What he does meanwhile verify_audit() finds. (Of the audit's tables relygate_guard_ddl
-- looks after the policies of the parents; here is what partitions, seals and roots need.)

CREATE FUNCTION @extschema@.audit_defects() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- Before the migration audit_seals there is nothing to seal by.
    IF to_regclass('@extschema@.audit_seals') IS NULL AND to_regclass('relygate_global.audit_roots') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE named (oid) AS (
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p')
           AND (n.nspname = '@extschema@' AND c.relname ~ '^audit_(log|log_\d{4}_\d\d|seals|seals_all)$' OR n.nspname = 'relygate_global' AND c.relname = 'audit_roots')),
    -- By what they are part of or were made for, whatever their names.
    parts (oid) AS (
        SELECT a.oid FROM named a
        UNION SELECT t.tgrelid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE t.tgfoid = '@extschema@.refuse_audit_change()'::regprocedure AND c.relowner = (SELECT r.oid FROM pg_roles r WHERE r.rolname = 'relygate_audit')
        UNION SELECT i.inhrelid FROM parts a JOIN pg_inherits i ON i.inhparent = a.oid),
    audit AS (
        SELECT c.oid, c.relname, n.nspname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl,
               (SELECT r.oid FROM pg_roles r WHERE r.rolname = 'relygate_audit') AS keeper,
               (SELECT p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relnamespace = c.relnamespace WHERE i.inhrelid = c.oid) AS parent,
               c.oid IN (SELECT a.oid FROM named a) AS is_named
          FROM parts a JOIN pg_class c ON c.oid = a.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'f'))
    SELECT a.oid::regclass::text, d.defect, 'Disable the event triggers relygate_guard_*, mend it, enable them; then SELECT * FROM relygate.verify_audit();'
      FROM audit a
     CROSS JOIN LATERAL (
           SELECT 'it does not belong to relygate_audit' WHERE a.relowner <> a.keeper
           UNION ALL SELECT 'it is a part of the audit under another name, or of another kind' WHERE NOT a.is_named
           UNION ALL SELECT 'it is not a partition of the audit'
            WHERE a.is_named AND a.relname ~ '_(\d{4}_\d\d|all)$' AND a.parent IS DISTINCT FROM substring(a.relname FROM '^audit_[a-z]+?(?=_)')
           UNION ALL SELECT 'row-level security is not enabled and forced'
            WHERE (a.nspname = '@extschema@' OR a.relispartition) AND NOT (a.relrowsecurity AND a.relforcerowsecurity)
           UNION ALL SELECT format('trigger %s is missing or not ENABLE ALWAYS', w.name)
             FROM (VALUES ('append_only', 27), ('append_only_truncate', 34)) AS w (name, type)
            WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace m ON m.oid = f.pronamespace
                               WHERE t.tgrelid = a.oid AND t.tgname = w.name AND t.tgtype = w.type AND t.tgenabled = 'A' AND t.tgqual IS NULL
                                 AND f.proname = 'refuse_audit_change' AND m.nspname = '@extschema@')
           -- One that answers NULL keeps rows out, and nobody misses them.
           UNION ALL SELECT format('trigger %s has no business there', t.tgname) FROM pg_trigger t
            WHERE t.tgrelid = a.oid AND NOT t.tgisinternal AND t.tgname NOT IN ('append_only', 'append_only_truncate', 'relygate_no_truncate')
           UNION ALL SELECT format('rule %s has no business there', r.rulename) FROM pg_rewrite r WHERE r.ev_class = a.oid
           UNION ALL SELECT 'its policy must be sealing alone, for relygate_audit'
            WHERE a.relispartition
              AND (SELECT array_agg(format('%s %s %s %s %s', p.polname, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid), p.polwithcheck IS NULL))
                     FROM pg_policy p WHERE p.polrelid = a.oid) IS DISTINCT FROM ARRAY[format('sealing t {%s} true t', a.keeper)]
           UNION ALL SELECT format('%s is granted to %s', g.privilege_type, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
             FROM aclexplode(a.relacl) g
            WHERE g.grantee <> a.keeper AND (a.relispartition OR a.nspname <> '@extschema@' OR g.privilege_type <> 'SELECT')) d (defect);
    RETURN QUERY SELECT w.name, 'it is not there', 'Restore the audit from a backup; then SELECT * FROM relygate.verify_audit();'
                   FROM unnest(ARRAY['@extschema@.audit_log', '@extschema@.audit_seals', '@extschema@.audit_seals_all', 'relygate_global.audit_roots']) AS w (name)
                  WHERE to_regclass(w.name) IS NULL;
    RETURN QUERY SELECT format('event trigger %s', w.name), 'missing or disabled', 'Deploy the migration audit_guard, or ENABLE ALWAYS it; then SELECT * FROM relygate.verify_audit();'
                   FROM unnest(ARRAY['relygate_guard_audit_ddl', 'relygate_guard_audit_drop']) AS w (name)
                  WHERE NOT EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtname = w.name AND e.evtenabled = 'A');
END $$;
COMMENT ON FUNCTION @extschema@.audit_defects() IS
'What the tables of the audit lack, or have too much of. Catalogs only. Callers: validate_schema, the guard.';
REVOKE ALL ON FUNCTION @extschema@.audit_defects() FROM PUBLIC;

-- A restore with --disable-triggers disables all triggers of a table and enables them again, as ordinary ones. COPY into the log
-- needs no trigger disabled, so they are armed at once: neither half of the restore opens the log.
CREATE FUNCTION @extschema@.rearm_audit(tables oid[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT t.tgrelid::regclass AS relation, bool_or(t.tgname = 'relygate_no_truncate') AS is_protected FROM pg_trigger t
         WHERE t.tgrelid = ANY (rearm_audit.tables) AND t.tgname IN ('append_only', 'append_only_truncate', 'relygate_no_truncate')
         GROUP BY t.tgrelid
        -- All of them alike: who disables one alone means it, and is refused.
        HAVING bool_and(t.tgenabled = 'D') OR bool_and(t.tgenabled = 'O')
    LOOP
        -- In one command, or relygate_guard_ddl would see it half done.
        IF item.is_protected THEN
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER append_only_truncate, '
                           'ENABLE TRIGGER relygate_no_truncate', item.relation);
        ELSE
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER append_only_truncate', item.relation);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.rearm_audit(oid[]) IS
'Arms the triggers of tables of the audit again after all of them were disabled, or enabled as ordinary ones, in one command. Callers: the guard.';
REVOKE ALL ON FUNCTION @extschema@.rearm_audit(oid[]) FROM PUBLIC;

-- Fired by everybody's commands on tables of his own, who may have no right to look into schema relygate: until it is known that the
-- audit is meant, catalogs only.
CREATE FUNCTION @extschema@.guard_audit_ddl() RETURNS event_trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched oid[];
    defect record;
BEGIN
    WITH RECURSIVE parts (oid) AS (    -- as in audit_defects()
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p')
           AND (n.nspname = '@extschema@' AND c.relname ~ '^audit_(log|log_\d{4}_\d\d|seals|seals_all)$' OR n.nspname = 'relygate_global' AND c.relname = 'audit_roots')
        UNION SELECT t.tgrelid FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace n ON n.oid = f.pronamespace JOIN pg_class c ON c.oid = t.tgrelid
               WHERE n.nspname = '@extschema@' AND f.proname = 'refuse_audit_change' AND c.relowner = (SELECT r.oid FROM pg_roles r WHERE r.rolname = 'relygate_audit')
        UNION SELECT i.inhrelid FROM parts a JOIN pg_inherits i ON i.inhparent = a.oid)
    SELECT array_agg(DISTINCT c.oid) INTO touched
      FROM (SELECT coalesce(p.polrelid, t.tgrelid, r.ev_class, d.objid) AS objid, d.object_type FROM pg_event_trigger_ddl_commands() d
              LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
              LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
              LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
             WHERE d.classid IN ('pg_class'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass)
                OR d.command_tag = 'GRANT' AND d.object_type = 'TABLE') d      -- which table, a GRANT does not tell
      JOIN parts c ON c.oid = d.objid OR d.objid IS NULL OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid AND i.inhparent = d.objid);
    -- Whoever may not ask has no right on the audit, and altered or granted something of his own.
    IF touched IS NULL OR NOT coalesce((SELECT has_schema_privilege(p.pronamespace, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
                                          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                                         WHERE n.nspname = '@extschema@' AND p.proname = 'audit_defects'), false) THEN
        RETURN;
    END IF;
    IF TG_TAG = 'ALTER TABLE' THEN
        PERFORM @extschema@.rearm_audit(touched);
    END IF;
    -- A partition that is still being made is not attached yet; afterwards it must be whole, and stay.
    SELECT d.object, d.finding INTO defect FROM @extschema@.audit_defects() d
      JOIN pg_class c ON c.oid::regclass::text = d.object      -- what is found may be no table
     WHERE CASE WHEN c.relispartition OR c.relname !~ '_(\d{4}_\d\d|all)$' THEN c.oid = ANY (touched)
                ELSE EXISTS (SELECT FROM pg_event_trigger_ddl_commands() m
                              WHERE m.object_identity IN ('@extschema@.audit_log', '@extschema@.audit_seals')) END
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'this would open the audit' USING ERRCODE = 'insufficient_privilege', DETAIL = format('Afterwards, %s: %s.', defect.object, defect.finding),
            HINT = 'A superuser can disable the event triggers relygate_guard_audit_ddl and relygate_guard_audit_drop; verify_audit() shows what he does meanwhile.';
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.guard_audit_ddl() IS
'Refuses (42501) a command after which a table of the audit has a defect; arms its triggers again where all were disabled at once.';
REVOKE ALL ON FUNCTION @extschema@.guard_audit_ddl() FROM PUBLIC;

CREATE FUNCTION @extschema@.guard_audit_drop() RETURNS event_trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost text;
    is_archived boolean;
BEGIN
    -- A table of the audit; or, of one that stays, a policy, trigger or rule.
    FOR lost IN
        SELECT d.object_identity FROM pg_event_trigger_dropped_objects() d
         WHERE d.object_type = 'table'
           AND (d.schema_name = '@extschema@' AND d.object_name ~ '^audit_(log|log_\d{4}_\d\d|seals|seals_all)$'
                OR d.schema_name = 'relygate_global' AND d.object_name = 'audit_roots')
    LOOP
        is_archived := false;
        IF lost ~ 'audit_log_' AND to_regclass('relygate_global.audit_roots') IS NOT NULL THEN
            EXECUTE 'SELECT EXISTS (SELECT FROM relygate_global.audit_roots r CROSS JOIN LATERAL @extschema@.audit_archive(r.leaves) v WHERE r.kind = ''archive'' AND v.partition = $1)'
               INTO is_archived USING lost;
        END IF;
        IF NOT is_archived THEN
            RAISE EXCEPTION 'this would drop a part of the audit' USING ERRCODE = 'insufficient_privilege', DETAIL = format('%s would be gone.', lost),
                HINT = 'Old months go by relygate.drop_audit_month(), which checks and records them.';
        END IF;
    END LOOP;
    SELECT format('%s of %s', d.object_type, c.oid::regclass) INTO lost FROM pg_event_trigger_dropped_objects() d
      JOIN pg_namespace n ON n.nspname = d.address_names[1]
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = d.address_names[2]
     WHERE d.object_type IN ('policy', 'trigger') AND d.original AND d.address_names[3] IN ('sealing', 'append_only', 'append_only_truncate')
       AND (n.nspname = '@extschema@' AND c.relname ~ '^audit_(log|log_\d{4}_\d\d|seals|seals_all)$' OR n.nspname = 'relygate_global' AND c.relname = 'audit_roots')
     LIMIT 1;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'this would open the audit' USING ERRCODE = 'insufficient_privilege', DETAIL = format('A %s would be gone.', lost),
            HINT = 'A superuser can disable the event triggers relygate_guard_audit_ddl and relygate_guard_audit_drop; verify_audit() shows what he does meanwhile.';
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.guard_audit_drop() IS
'Refuses (42501) to drop a table of the audit, but for a month that drop_audit_month() has recorded, or what protects one that stays.';
REVOKE ALL ON FUNCTION @extschema@.guard_audit_drop() FROM PUBLIC;
