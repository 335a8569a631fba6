-- Policies of a tenant table, the guard that keeps them, and the list of what is wrong. A table is protected from the moment
-- it has the trigger relygate_no_truncate, which protect_table makes last: a half-made table can still be mended.

CREATE FUNCTION @extschema@.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'table "%" cannot be truncated', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'TRUNCATE knows no tenant: delete the rows of each tenant.';
END $$;
COMMENT ON FUNCTION @extschema@.refuse_truncate() IS
'Trigger relygate_no_truncate of every protected table; its argument is the column of the tenant.';
REVOKE ALL ON FUNCTION @extschema@.refuse_truncate() FROM PUBLIC;

CREATE FUNCTION @extschema@.protection_defects(target regclass) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'relygate_protection_defects';
COMMENT ON FUNCTION @extschema@.protection_defects(regclass) IS
'What a protected table lacks, NULL if nothing: row-level security enabled and forced, both policies word by word, enabled triggers, those of the audit '
'as they should be.';
REVOKE ALL ON FUNCTION @extschema@.protection_defects(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@.protect_table(target regclass, tenant_column name DEFAULT 'tenant_id') RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- The table of tenants alone is protected by its own key; relygate_platform finds a tenant there before a context can be.
    exception_of_tenants CONSTANT text :=
        CASE WHEN protect_table.tenant_column = 'id' THEN $x$current_user = 'relygate_platform' OR $x$ ELSE '' END;
    known CONSTANT text := exception_of_tenants || '(SELECT @extschema@.current_tenant()) IS NOT NULL';
    own CONSTANT text := exception_of_tenants || format('%I = (SELECT @extschema@.current_tenant())', protect_table.tenant_column);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = protect_table.target AND a.attname = protect_table.tenant_column
                      AND a.atttypid = 'uuid'::regtype AND a.attnotnull AND NOT a.attisdropped) THEN
        RAISE EXCEPTION 'column "%" of table % must be a uuid NOT NULL', protect_table.tenant_column, protect_table.target
            USING ERRCODE = 'invalid_table_definition', DETAIL = 'Rows without a tenant are seen by nobody and block nothing.';
    END IF;
    EXECUTE format('DROP TRIGGER IF EXISTS relygate_no_truncate ON %s', protect_table.target);
    EXECUTE format('DROP POLICY IF EXISTS base ON %s', protect_table.target);
    EXECUTE format('DROP POLICY IF EXISTS tenant ON %s', protect_table.target);
    -- base names the extension: USING (true) would outlive DROP EXTENSION ... CASCADE and show all rows to everybody.
    EXECUTE format('CREATE POLICY base ON %s USING (%s)', protect_table.target, known);
    -- Restrictive: permissive policies are OR-ed, one more would open the table.
    EXECUTE format('CREATE POLICY tenant ON %1$s AS RESTRICTIVE USING (%2$s) WITH CHECK (%2$s)', protect_table.target, own);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', protect_table.target);
    EXECUTE format('CREATE TRIGGER relygate_no_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION @extschema@.refuse_truncate(%L)', protect_table.target, protect_table.tenant_column);
END $$;
COMMENT ON FUNCTION @extschema@.protect_table(regclass, name) IS
'Makes a table a tenant''s: two policies on its tenant column, row-level security enabled and forced, no TRUNCATE. Called by the '
'table''s owner after the table is complete. To mend a protected table, disable the event triggers relygate_guard_* first.';
REVOKE ALL ON FUNCTION @extschema@.protect_table(regclass, name) FROM PUBLIC;

-- The event triggers themselves come from the migration guard. search_path: policies are compared as text, which names
-- schemas according to it.
CREATE FUNCTION @extschema@.guard_ddl() RETURNS event_trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'relygate_guard_ddl';
COMMENT ON FUNCTION @extschema@.guard_ddl() IS 'Refuses (42501) a command that leaves a protected table with a defect; to its owner also other names and types of its columns.';
REVOKE ALL ON FUNCTION @extschema@.guard_ddl() FROM PUBLIC;

CREATE FUNCTION @extschema@.guard_drop() RETURNS event_trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'relygate_guard_drop';
COMMENT ON FUNCTION @extschema@.guard_drop() IS 'Refuses (42501) to drop a policy or trigger that protects a table which stays.';
REVOKE ALL ON FUNCTION @extschema@.guard_drop() FROM PUBLIC;
