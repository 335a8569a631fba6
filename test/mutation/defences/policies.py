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

# Each foreign key of visits to a visitor, a host or a gate by its id alone.
KEYS_WITHOUT_TENANT = """
DO $$ DECLARE k record; BEGIN
    FOR k IN SELECT c.conname, c.confrelid::regclass AS target, a.attname FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid
              AND a.attnum = c.conkey[cardinality(c.conkey)] WHERE c.conrelid = 'relygate.visits'::regclass AND c.contype = 'f'
              AND a.attname IN ('visitor_id', 'host_id', 'gate_in_id') LOOP
        EXECUTE format('ALTER TABLE relygate.visits DROP CONSTRAINT %I', k.conname);
        EXECUTE format('CREATE UNIQUE INDEX ON %s (id)', k.target);
        EXECUTE format('ALTER TABLE relygate.visits ADD FOREIGN KEY (%I) REFERENCES %s (id)', k.attname, k.target);
    END LOOP;
END $$"""
# The audit notes no row of another tenant, so the change itself would fail.
OPEN_AUDIT = Sql("ALTER POLICY tenant ON relygate.audit_log USING (true) WITH CHECK (true)")
NULLABLE = ("ALTER TABLE relygate.purposes DROP CONSTRAINT purposes_pkey CASCADE; ALTER TABLE relygate.purposes ALTER tenant_id DROP NOT NULL; "
            "CREATE UNIQUE INDEX ON relygate.purposes (tenant_id, id)")

DEFENCES = [
    Defence("with-check", "12, rls-017", "WITH CHECK of the policy tenant", Sql(EACH_TABLE.format("EXECUTE format('ALTER POLICY tenant ON %s WITH CHECK (true)', t);")), OPEN_AUDIT),
    Defence("with-check-and-using", "12", "both conditions of the policy tenant, of one table",
            Sql("ALTER POLICY tenant ON relygate.purposes USING (true) WITH CHECK (true)"), OPEN_AUDIT),
    Defence("tenant-in-unique-keys", "13, rls-009", "tenant_id in unique keys", Sql("CREATE UNIQUE INDEX ON relygate.visitors (mobile)")),
    Defence("tenant-in-foreign-keys", "14, rls-009", "tenant_id in foreign keys", Sql(KEYS_WITHOUT_TENANT)),
    Defence("row-level-security", "16, rls-012", "row-level security (a view instead)", Sql(VIEW_INSTEAD)),
    Defence("restrictive", "18", "the policy tenant is RESTRICTIVE (it alone, and permissive)",
            Sql(EACH_TABLE.format("IF c = 'tenant_id' THEN EXECUTE format('DROP POLICY tenant ON %s', t); EXECUTE format('DROP POLICY base ON %s', t); EXECUTE format("
                                  "'CREATE POLICY tenant ON %s USING (tenant_id = (SELECT relygate.current_tenant()))', t); END IF;"))),
    Defence("base-names-extension", "23", "the policy base names the extension", Sql(EACH_TABLE.format("EXECUTE format('ALTER POLICY base ON %s USING (true)', t);"))),
    Defence("domains-outside", "23, extension-006", "domains are no members of the extension", Sql("ALTER EXTENSION relygate ADD DOMAIN relygate.person_name")),
    Defence("force", "rls-001", "FORCE ROW LEVEL SECURITY (the audit's guard would refuse what comes after)",
            Sql(EACH_TABLE.format("IF t::text NOT LIKE 'relygate.audit%' THEN EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', t); END IF;"))),
    Defence("sub-select", "rls-011", "the sub-select in policies",
            Sql("CREATE OR REPLACE FUNCTION relygate.protect_table(target regclass, tenant_column name DEFAULT 'tenant_id') RETURNS void LANGUAGE plpgsql AS $$ "
                "BEGIN EXECUTE format('CREATE POLICY base ON %s USING (tenant_id = relygate.current_tenant())', target); "
                "EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target); END $$")),
    Defence("tenant-not-null", "rls-017", "tenant_id is NOT NULL", Sql(NULLABLE)),
    Defence("tenant-not-null-and-audit", "rls-017", "tenant_id is NOT NULL, and what refuses a row without one as well: WITH CHECK and the audit",
            Sql(NULLABLE + "; ALTER TABLE relygate.purposes DISABLE TRIGGER audit; "
                "ALTER POLICY tenant ON relygate.purposes WITH CHECK (tenant_id IS NULL OR tenant_id = (SELECT relygate.current_tenant()))")),
    Defence("row-level-security-of-visits", "3", "row-level security of one table",
            Sql("ALTER TABLE relygate.visits DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")),
    Defence("no-statistics", "17", "no statistics are kept of personal columns",
            Sql("ALTER TABLE relygate.visitors ALTER first_name SET STATISTICS 100, ALTER vehicle_no SET STATISTICS 100")),
    Defence("keys-collate-c", "extension-009", "COLLATE \"C\" of a column of a key",
            Sql("CREATE UNIQUE INDEX ON relygate.visitors (tenant_id, (security_code COLLATE \"en-x-icu\"), id)")),
]
