-- The tables of tenants, and a row in each of them that no tenant has: what prove_isolation() attacks. A row's ids follow from its table
-- and its tenant, its other values from the types and checks of the columns.

CREATE FUNCTION @extschema@.tenant_tables() RETURNS TABLE (target regclass, tenant_column name, is_protected boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.oid::regclass, coalesce(replace(encode(m.tgargs, 'escape'), '\000', ''),
                                     CASE WHEN c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END)::name, m.oid IS NOT NULL
      FROM pg_class c LEFT JOIN pg_trigger m ON m.tgrelid = c.oid AND m.tgfoid = '@extschema@.refuse_truncate()'::regprocedure
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND (m.oid IS NOT NULL
            OR c.relnamespace = '@extschema@'::regnamespace
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
     ORDER BY 1;
END $$;
COMMENT ON FUNCTION @extschema@.tenant_tables() IS
'The tables of tenants: all that are protected, wherever they stand, and all others of the product''s schema, which should be.';
REVOKE ALL ON FUNCTION @extschema@.tenant_tables() FROM PUBLIC;

CREATE FUNCTION @extschema@.untried_relations() RETURNS TABLE (target regclass, detail text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- Each on its own: a view runs what its tables have, a table what its partitions have.
    RETURN QUERY
    WITH RECURSIVE tree (target, oid) AS (
        SELECT t.target, t.target::oid FROM @extschema@.tenant_tables() t
        UNION SELECT t.target, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid),
    wanted AS (
        SELECT t.target, array_agg(t.oid) AS relations FROM tree t GROUP BY t.target
        UNION ALL SELECT c.oid::regclass, ARRAY[c.oid] FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = to_regnamespace('relygate_report'))
    SELECT w.target, 'not tried: ' || string_agg(format('%s%s, %s', c.place, ' calls ' || c.function, c.reason), '; ' ORDER BY c.place, c.function::text)
      FROM wanted w CROSS JOIN LATERAL @extschema@.stored_code(w.relations) c GROUP BY w.target;
END $$;
COMMENT ON FUNCTION @extschema@.untried_relations() IS
'Tables of tenants and reporting views with code that a superuser must not run, and which it is. Callers: prove_isolation.';
REVOKE ALL ON FUNCTION @extschema@.untried_relations() FROM PUBLIC;

CREATE FUNCTION @extschema@.scratch_id(target regclass, tenant uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SECURITY INVOKER
AS $$ SELECT pg_catalog.md5(target::pg_catalog.oid::pg_catalog.text || tenant::pg_catalog.text)::pg_catalog.uuid $$;
COMMENT ON FUNCTION @extschema@.scratch_id(regclass, uuid) IS
'The id of a scratch tenant''s row in a table: it follows from both, so rows name each other without being looked for.';
REVOKE ALL ON FUNCTION @extschema@.scratch_id(regclass, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.scratch_value(target regclass, attribute smallint, tenant uuid) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    wanted pg_attribute;
    base regtype;
    referenced regclass;
    -- @plpgsql_check_options: security_warnings = off
    checks text;    -- a table's own, as pg_get_expr() has them
    word text;
    fits boolean;
BEGIN
    SELECT a.* INTO wanted FROM pg_attribute a WHERE a.attrelid = target AND a.attnum = attribute;
    SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END INTO base FROM pg_type t WHERE t.oid = wanted.atttypid;
    IF base = 'uuid'::regtype THEN
        SELECT k.confrelid INTO referenced FROM pg_constraint k JOIN pg_attribute r ON r.attrelid = k.confrelid
           AND r.attnum = k.confkey[array_position(k.conkey, attribute)]
         WHERE k.contype = 'f' AND k.conrelid = target AND attribute = ANY (k.conkey) AND r.attname = 'id' LIMIT 1;
        RETURN @extschema@.scratch_id(coalesce(referenced, target), tenant);
    END IF;
    -- The first value that the type and the checks of this column alone take: a tenant's own, what the product's columns ask for,
    -- what the checks name.
    SELECT coalesce(string_agg(format('(%s) IS NOT FALSE', pg_get_expr(k.conbin, k.conrelid)), ' AND '), 'true') INTO checks
      FROM pg_constraint k WHERE k.conrelid = target AND k.contype = 'c' AND k.conkey = ARRAY[attribute]
       -- Read again as text, a name that is not the product's may be found to be another function.
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = k.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
                          AND NOT EXISTS (SELECT FROM pg_depend e JOIN pg_extension x ON e.refclassid = 'pg_extension'::regclass AND x.oid = e.refobjid AND x.extname = 'relygate'
                                           WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'));
    FOR word IN
        SELECT w FROM unnest(ARRAY[upper(left(replace(tenant::text, '-', ''), 20)),
            '+91984' || lpad((abs(hashtext(tenant::text)) % 10000000)::text, 7, '0')]) AS w WHERE base = 'text'::regtype
        UNION ALL SELECT '\x' || repeat(replace(tenant::text, '-', ''), times) FROM generate_series(2, 1, -1) AS times WHERE base = 'bytea'::regtype
        UNION ALL SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = base
        UNION ALL SELECT w FROM unnest(ARRAY['1', '200', 'true', 'now', '[1,2)', '[]', '{}', '1 day', '127.0.0.1', 'scratch', 'pending', 'school',
            'active', 'building', 'both', 'employee', 'visit', 'unregistered', 'scratch.read', '$y$', 'x@example.org', 'Asia/Kolkata',
            'IN', 'passport', 'Scratch', 'x', '']) AS w
        UNION ALL SELECT m[1] FROM pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([^'']*)''', 'g') AS m
                   WHERE k.contypid = wanted.atttypid OR k.conrelid = target AND attribute = ANY (k.conkey)
    LOOP
        BEGIN
            EXECUTE format('SELECT %4$I IS NOT NULL AND %1$s FROM (SELECT %2$L::%3$s AS %4$I) AS row', checks, word,
                           format_type(wanted.atttypid, wanted.atttypmod), wanted.attname)
               INTO fits;
            IF fits THEN
                RETURN word;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL;   -- not of this type, or refused by the domain
        END;
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.scratch_value(regclass, smallint, uuid) IS
'A value that a column of a scratch tenant''s row may have, NULL if none was found. Callers: scratch_row.';
REVOKE ALL ON FUNCTION @extschema@.scratch_value(regclass, smallint, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.scratch_row(target regclass, tenant_column name, tenant uuid, made_for uuid) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    names text;
    filled text;
BEGIN
    -- Columns that need a value; those of keys that forget the tenant, to see them clash; and those whose default counts, since
    -- a sequence does not come back with a rollback.
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
           string_agg(CASE WHEN a.attname = tenant_column THEN quote_literal(tenant)
                           ELSE coalesce(quote_literal(@extschema@.scratch_value(target, a.attnum, made_for)), 'DEFAULT') END,
                      ', ' ORDER BY a.attnum) INTO names, filled
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND (a.attname IN (tenant_column, 'id') OR a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%'
            OR d.oid IS NULL AND (a.attnotnull OR t.typnotnull)
            OR EXISTS (SELECT FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0]
                        WHERE i.indrelid = target AND i.indisunique AND a.attnum = ANY (i.indkey) AND k.attname <> tenant_column));
    RETURN format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)', target, names, filled);
END $$;
COMMENT ON FUNCTION @extschema@.scratch_row(regclass, name, uuid, uuid) IS
'The INSERT of a scratch tenant''s row into any table of tenants, with the values made for that or for another tenant. Callers: '
'prove_isolation.';
REVOKE ALL ON FUNCTION @extschema@.scratch_row(regclass, name, uuid, uuid) FROM PUBLIC;
