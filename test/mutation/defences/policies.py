"""Policies, keys and what row-level security stands on."""
from mutation.defence import Defence, Sql
from mutation.each import EACH_TABLE

# A table behind a view that filters: how isolation is often built.
VIEW_INSTEAD = """
ALTER TABLE relygate.visitors DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
DO $$ DECLARE d record; BEGIN
    ALTER TABLE relygate.visitors RENAME TO all_visitors;
    CREATE VIEW relygate.visitors AS SELECT * FROM relygate.all_visitors WHERE tenant_id = (SELECT relygate.current_tenant());
    FOR d IN SELECT a.attname, pg_get_expr(f.adbin, f.adrelid) AS value FROM pg_attrdef f JOIN pg_attribute a
              ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE f.adrelid = 'relygate.all_visitors'::regclass LOOP
        EXECUTE format('ALTER VIEW relygate.visitors ALTER %I SET DEFAULT %s', d.attname, d.value);
    END LOOP;
    GRANT ALL ON relygate.visitors TO relygate_api, relygate_owner;
END $$"""

DEFENCES = [
    Defence("with-check", "12, rls-017", "WITH CHECK of the policy tenant", Sql(EACH_TABLE.format("EXECUTE format('ALTER POLICY tenant ON %s WITH CHECK (true)', t);"))),
    Defence("tenant-in-unique-keys", "13, rls-009", "tenant_id in unique keys", Sql("CREATE UNIQUE INDEX ON relygate.visitors (mobile)")),
    Defence("tenant-in-foreign-keys", "14, rls-009", "tenant_id in foreign keys",
            Sql("ALTER TABLE relygate.visits DROP CONSTRAINT visits_tenant_id_visitor_id_fkey; CREATE UNIQUE INDEX ON relygate.visitors (id); "
                "ALTER TABLE relygate.visits ADD FOREIGN KEY (visitor_id) REFERENCES relygate.visitors (id)")),
    Defence("row-level-security", "16, rls-012", "row-level security (a view instead)", Sql(VIEW_INSTEAD)),
    Defence("restrictive", "18", "the policy tenant is RESTRICTIVE",
            Sql(EACH_TABLE.format("IF c = 'tenant_id' THEN EXECUTE format('DROP POLICY tenant ON %s', t); EXECUTE format("
                                  "'CREATE POLICY tenant ON %s USING (tenant_id = (SELECT relygate.current_tenant()))', t); END IF;"))),
    Defence("base-names-extension", "23", "the policy base names the extension", Sql(EACH_TABLE.format("EXECUTE format('ALTER POLICY base ON %s USING (true)', t);"))),
    Defence("domains-outside", "23, extension-006", "domains are no members of the extension", Sql("ALTER EXTENSION relygate ADD DOMAIN relygate.person_name")),
    Defence("force", "rls-001", "FORCE ROW LEVEL SECURITY", Sql(EACH_TABLE.format("EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', t);"))),
    Defence("sub-select", "rls-011", "the sub-select in policies",
            Sql("CREATE OR REPLACE FUNCTION relygate.protect_table(target regclass, tenant_column name DEFAULT 'tenant_id') RETURNS void LANGUAGE plpgsql AS $$ "
                "BEGIN EXECUTE format('CREATE POLICY base ON %s USING (tenant_id = relygate.current_tenant())', target); "
                "EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target); END $$")),
    Defence("tenant-not-null", "rls-017", "tenant_id is NOT NULL",
            Sql("ALTER TABLE relygate.purposes DROP CONSTRAINT purposes_pkey CASCADE; ALTER TABLE relygate.purposes ALTER tenant_id DROP NOT NULL; "
                "ALTER POLICY tenant ON relygate.purposes WITH CHECK (true)")),
    Defence("row-level-security-of-visits", "3", "row-level security of one table",
            Sql("ALTER TABLE relygate.visits DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")),
    Defence("no-statistics", "17", "no statistics are kept of personal columns",
            Sql("ALTER TABLE relygate.visitors ALTER first_name SET STATISTICS 100, ALTER vehicle_no SET STATISTICS 100")),
    Defence("keys-collate-c", "extension-009", "COLLATE \"C\" of a column of a key",
            Sql("CREATE UNIQUE INDEX ON relygate.visitors (tenant_id, (security_code COLLATE \"en-x-icu\"), id)")),
]
