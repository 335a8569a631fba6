-- Code that tables and views keep and the server runs by itself: in constraints, domains, defaults, generated columns, indexes,
-- triggers, policies and rules. It runs with the rights of whoever writes, reads or restores, a superuser's among them; and
-- what a superuser runs after SET ROLE can set the role back. Owners of tables choose what it calls.

CREATE FUNCTION @extschema@.stored_code(relations oid[]) RETURNS TABLE (relation oid, place text, function regprocedure, reason text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    -- Along the catalog's dependencies, from a relation to its parts and to all that each of them needs, through operators, casts, domains,
    -- arrays, composite types and views. place is the part on the way. What one relation of these has is not another one's.
    WITH RECURSIVE reached (relation, classid, objid, place_class, place) AS (
        SELECT w.oid, 'pg_class'::regclass::oid, w.oid, 0::oid, 0::oid FROM unnest(relations) AS w (oid)
        UNION
        SELECT r.relation, n.classid, n.objid, CASE r.place WHEN 0 THEN n.classid ELSE r.place_class END, CASE r.place WHEN 0 THEN n.objid ELSE r.place END
          FROM reached r CROSS JOIN LATERAL (
                SELECT d.refclassid, d.refobjid FROM pg_depend d
                 WHERE d.classid = r.classid AND d.objid = r.objid
                   AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_class'::regclass)
                   AND NOT (r.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_class'::regclass)    -- a foreign key's
                   AND (r.classid <> 'pg_proc'::regclass OR EXISTS (SELECT FROM pg_proc p WHERE p.oid = r.objid AND p.prosqlbody IS NOT NULL))
                UNION ALL
                SELECT d.classid, d.objid FROM pg_depend d
                 WHERE d.refclassid = r.classid AND d.refobjid = r.objid AND d.deptype IN ('a', 'i') AND d.classid <> 'pg_proc'::regclass
                   AND r.classid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_constraint'::regclass) OFFSET 0) AS n (classid, objid)
         WHERE NOT (n.classid = 'pg_class'::regclass AND n.objid = ANY (relations))),
    -- No dependency is kept on what is built in.
    trees AS (
        SELECT r.relation, r.place_class, r.place, true AS is_check, k.conbin::text AS tree
          FROM reached r JOIN pg_constraint k ON r.classid = 'pg_constraint'::regclass AND k.oid = r.objid WHERE k.contype = 'c'
        UNION ALL SELECT r.relation, r.place_class, r.place, false, d.adbin::text
          FROM reached r JOIN pg_attrdef d ON r.classid = 'pg_attrdef'::regclass AND d.oid = r.objid
        UNION ALL SELECT r.relation, r.place_class, r.place, false, t.typdefaultbin::text
          FROM reached r JOIN pg_type t ON r.classid = 'pg_type'::regclass AND t.oid = r.objid
        UNION ALL SELECT r.relation, r.place_class, r.place, true, concat(i.indexprs::text, i.indpred::text)
          FROM reached r JOIN pg_index i ON r.classid = 'pg_class'::regclass AND i.indexrelid = r.objid
        UNION ALL SELECT r.relation, r.place_class, r.place, false, t.tgqual::text
          FROM reached r JOIN pg_trigger t ON r.classid = 'pg_trigger'::regclass AND t.oid = r.objid
        UNION ALL SELECT r.relation, r.place_class, r.place, false, concat(p.polqual::text, p.polwithcheck::text)
          FROM reached r JOIN pg_policy p ON r.classid = 'pg_policy'::regclass AND p.oid = r.objid
        UNION ALL SELECT r.relation, r.place_class, r.place, false, concat(w.ev_qual::text, w.ev_action::text)
          FROM reached r JOIN pg_rewrite w ON r.classid = 'pg_rewrite'::regclass AND w.oid = r.objid),
    called AS (
        SELECT r.relation, r.place_class, r.place, false AS is_check, r.objid AS id FROM reached r WHERE r.classid = 'pg_proc'::regclass
        UNION SELECT t.relation, t.place_class, t.place, t.is_check, m.id[1]::oid FROM trees t, regexp_matches(t.tree, ':(?:op)?funcid (\d+)', 'g') AS m (id))
    SELECT DISTINCT c.relation,
           CASE c.place_class WHEN 'pg_constraint'::regclass THEN format('constraint %I', (SELECT k.conname FROM pg_constraint k WHERE k.oid = c.place))
                WHEN 'pg_type'::regclass THEN format('%s %s', CASE (SELECT t.typtype FROM pg_type t WHERE t.oid = c.place) WHEN 'd' THEN 'domain' ELSE 'type' END, c.place::regtype)
                WHEN 'pg_attrdef'::regclass THEN format('column %I', (SELECT a.attname FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.oid = c.place))
                WHEN 'pg_class'::regclass THEN format('index %s', c.place::regclass)
                WHEN 'pg_trigger'::regclass THEN format('trigger %I', (SELECT t.tgname FROM pg_trigger t WHERE t.oid = c.place))
                WHEN 'pg_policy'::regclass THEN format('policy %I', (SELECT p.polname FROM pg_policy p WHERE p.oid = c.place))
                WHEN 'pg_rewrite'::regclass THEN format('rule %I', (SELECT w.rulename FROM pg_rewrite w WHERE w.oid = c.place))
                ELSE 'its key' END,
           p.oid::regprocedure, CASE WHEN r.rolsuper THEN 'which may act' ELSE format('which is %s''s to change', r.rolname) END
      FROM called c JOIN pg_proc p ON p.oid = c.id JOIN pg_roles r ON r.oid = p.proowner
     WHERE CASE WHEN NOT r.rolsuper THEN NOT (p.pronamespace::regnamespace::text IN ('@extschema@', 'relygate_report', 'relygate_global')
                                              AND r.rolname IN ('relygate_audit', 'relygate_platform'))
                -- A superuser's own function may stand there, but a check of it must not act. What is built in anybody may name in a
                -- default, whether he may call it or not; some of these run code by its name, and their caller's.
                WHEN c.is_check AND p.provolatile = 'v' THEN true
                WHEN p.oid < 16384 THEN p.provolatile = 'v' AND p.proname NOT IN ('clock_timestamp', 'timeofday', 'random', 'gen_random_uuid', 'nextval')
                                        OR p.proname ~ '_to_xml|^pg_input_|^(domain|record|array|range|multirange)_(in|recv)$'
                ELSE false END
    UNION ALL
    -- No lock keeps a domain as it is, nor a view that a policy reads: what they run may be another thing a moment later.
    SELECT DISTINCT r.relation, CASE r.classid WHEN 'pg_type'::regclass THEN format('domain %s', r.objid::regtype) ELSE format('view %s', r.objid::regclass) END,
           NULL::regprocedure, format('which is %s''s to change', w.rolname)
      FROM reached r LEFT JOIN pg_type t ON r.classid = 'pg_type'::regclass AND t.oid = r.objid AND t.typtype = 'd'
      LEFT JOIN pg_class c ON r.classid = 'pg_class'::regclass AND c.oid = r.objid AND c.relkind = 'v' AND r.place_class = 'pg_policy'::regclass
      JOIN pg_roles w ON w.oid = coalesce(t.typowner, c.relowner) WHERE NOT w.rolsuper;
END $$;
COMMENT ON FUNCTION @extschema@.stored_code(oid[]) IS
'What relations run that a superuser must not run: functions that somebody else may change, and built-in ones that act; without a '
'function, what may come to run such a one at any moment. Callers: '
'validate_code, prove_isolation.';
REVOKE ALL ON FUNCTION @extschema@.stored_code(oid[]) FROM PUBLIC;
