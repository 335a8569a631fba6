#!/usr/bin/env python3
"""Takes the defences of isolation out, one at a time, and sees that the tests of their attack fail: what passes with its defence
taken out is no test. Not part of `make check` (a quarter of an hour): run it after a change of the tenant context, the policies,
the grants or these tests.

    test/isolation/defences.py [WORD ...]     only those whose attack or defence names a word

Works in an installation and a cluster of its own, in a temporary folder: libraries are built with the defence missing, or the
database that the tests copy is changed. Prints one line a defence: attack, what was taken out, failed yes or NO.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CONTEXT = "extension/pg/tenancy/context.cpp"
TESTS = "test/sql/isolation.sql"
EACH_TABLE = ("DO $$ DECLARE t regclass; c name; BEGIN FOR t, c IN SELECT tgrelid, replace(encode(tgargs, 'escape'), '\\000', '') "
              "FROM pg_trigger WHERE tgname = 'relygate_no_truncate' LOOP {} END LOOP; END $$")
EACH_VIEW = ("DO $$ DECLARE v regclass; BEGIN FOR v IN SELECT oid FROM pg_class WHERE relkind = 'v' "
             "AND relnamespace = 'relygate_report'::regnamespace LOOP {} END LOOP; END $$")
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



def within(marker, sql):
    """In the pgTAP test itself, before this line: earlier in the session it would spoil the rows that the test makes first."""
    return TESTS, marker, f"RESET ROLE;\nDROP EVENT TRIGGER relygate_guard_ddl, relygate_guard_drop;\n{sql};\nSELECT test.act_as(:'north');\n{marker}"


# attack or case, what is taken out, how (a file with old and new text, or SQL), the tests of it (-k), what must be among the failed
DEFENCES = [
    ("1", "an error where there is no context", (CONTEXT, "    if (note == nullptr)\n        ereport(ERROR, errcode(kNoContext)",
     "    static const pg_uuid_t nobody{};\n    if (note == nullptr)\n        return &nobody;\n    if (note == nullptr)\n        ereport(ERROR, errcode(kNoContext)"),
     "attack_1 and no_context or rls_005", "attack_1 rls_005"),
    ("2", "PGC_SUSET", (CONTEXT, "PGC_SUSET", "PGC_USERSET"), "attack_2", "attack_2"),
    ("2, 7", "wall 2: SET held by the session's user", (CONTEXT, "        require_entitlement();\n", ""), "attack_7", "attack_7"),
    ("2", "walls 1 and 2", [(CONTEXT, "PGC_SUSET", "PGC_USERSET"), (CONTEXT, "        require_entitlement();\n", "")], "attack_2", "attack_2"),
    ("3, 6", "the id beside the value", [
        (CONTEXT, "constexpr int kNoContext", "pg_uuid_t cached;\nconstexpr int kNoContext"),
        (CONTEXT, "    note->source = source;", "    cached = note->id;\n    note->source = source;"),
        (CONTEXT, "    return &note->id;\n}\n\nconst pg_uuid_t *current_user", "    return &cached;\n}\n\nconst pg_uuid_t *current_user")],
     "attack_3 or attack_6", "attack_3 attack_6"),
    ("4", "no transaction for values set before the library", (CONTEXT, "is_initializing || MyProc == nullptr ? 0 : this_transaction()", "this_transaction()"),
     "attack_4", "attack_4"),
    ("4", "session_preload_libraries", "ALTER DATABASE relygate_template RESET session_preload_libraries", "attack_4_library or attack_2", "attack_4_library attack_2"),
    ("5", "the source of the value", (CONTEXT, "    default:\n", "    default:\n        if (note.source != PGC_S_TEST)\n            return;\n"), "attack_5", "attack_5"),
    ("8, 9, rls-003", "lifetime transaction of the shim", "ALTER ROLE relygate_shim RESET relygate.context_lifetime", "attack_8 or attack_9",
     "attack_8 attack_9"),
    ("8", "one transaction, one tenant", (CONTEXT, "        hold_to_first_tenant(note->id);", "        answered_in = 0, (void)hold_to_first_tenant;"), "attack_8", "attack_8"),
    ("9", "the transaction beside the value", (CONTEXT, " || note.transaction != this_transaction()", ""), "attack_9 or attack_8", "attack_9 attack_8"),
    ("10, rls-013", "STABLE", within("-- Attack 10,", "ALTER FUNCTION relygate.current_tenant() IMMUTABLE"), "pgtap and isolation", "attack 10"),
    ("11", "the value in the settings that workers get", (CONTEXT, "    tenant_note = ", "    if (!IsParallelWorker())\n        tenant_note = "), "attack_11", "attack_11"),
    ("11", "a worker refuses a choice", (CONTEXT, "(IsParallelWorker() || note.transaction != this_transaction())", "!IsParallelWorker() && note.transaction != this_transaction()"),
     "attack_11", "attack_11"),
    ("12", "WITH CHECK", EACH_TABLE.format("EXECUTE format('ALTER POLICY tenant ON %s WITH CHECK (true)', t);"), "pgtap and isolation", "attack 12"),
    ("13, rls-009", "tenant_id in unique keys", "CREATE UNIQUE INDEX ON relygate.visitors (mobile)", "pgtap and isolation", "attack 13"),
    ("14, rls-009", "tenant_id in foreign keys", "ALTER TABLE relygate.visits DROP CONSTRAINT visits_tenant_id_visitor_id_fkey; CREATE UNIQUE INDEX ON relygate.visitors (id); "
     "ALTER TABLE relygate.visits ADD FOREIGN KEY (visitor_id) REFERENCES relygate.visitors (id)", "pgtap and isolation", "attack 14"),
    ("15", "rights that were not granted", "GRANT TRUNCATE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA relygate TO relygate_api, relygate_reporting; "
     "GRANT CREATE ON SCHEMA relygate, public TO PUBLIC", "attack_15", "attack_15"),
    ("15", "the trigger against TRUNCATE", EACH_TABLE.format("EXECUTE format('DROP TRIGGER relygate_no_truncate ON %s', t);"), "attack_15", "attack_15"),
    ("16, rls-012", "row-level security (a view instead)", within("-- Attack 16,", VIEW_INSTEAD), "pgtap and isolation", "attack 16"),
    ("18", "RESTRICTIVE", within("-- Attack 18:", EACH_TABLE.format("IF c = 'tenant_id' THEN EXECUTE format('DROP POLICY tenant ON %s', t); EXECUTE format("
     "'CREATE POLICY tenant ON %s USING (tenant_id = (SELECT relygate.current_tenant()))', t); END IF;")), "pgtap and isolation", "attack 18"),
    ("19", "the search_path of a definer function", "ALTER FUNCTION relygate.keyed_hash(text, text) RESET search_path; ALTER FUNCTION relygate.find_tenant(text) RESET search_path",
     "attack_19 or rls_008", "attack_19 rls_008"),
    ("20, rls-007", "security_invoker", EACH_VIEW.format("EXECUTE format('ALTER VIEW %s SET (security_invoker = false)', v); EXECUTE format('ALTER VIEW %s OWNER TO postgres', v);"),
     "attack_20", "attack_20"),
    ("23", "base names the extension", EACH_TABLE.format("EXECUTE format('ALTER POLICY base ON %s USING (true)', t);"), "attack_23", "attack_23"),
    ("23, extension-006", "domains outside of the extension", "ALTER EXTENSION relygate ADD DOMAIN relygate.person_name", "attack_23", "attack_23"),
    ("rls-001", "FORCE", within("-- rls-001:", EACH_TABLE.format("EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', t);")), "pgtap and isolation", "rls-001"),
    ("rls-008", "definer functions of a role without BYPASSRLS", "ALTER FUNCTION relygate.find_tenant(text) OWNER TO postgres", "rls_008", "rls_008"),
    ("rls-011", "the sub-select in policies", "CREATE OR REPLACE FUNCTION relygate.protect_table(target regclass, tenant_column name DEFAULT 'tenant_id') RETURNS void LANGUAGE plpgsql AS $$ "
     "BEGIN EXECUTE format('CREATE POLICY base ON %s USING (tenant_id = relygate.current_tenant())', target); "
     "EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target); END $$", "pgtap and isolation", "rls-011"),
    ("rls-017", "WITH CHECK and NOT NULL", within("-- rls-017:", "ALTER TABLE relygate.purposes DROP CONSTRAINT purposes_pkey CASCADE; "
     "ALTER TABLE relygate.purposes ALTER tenant_id DROP NOT NULL; ALTER POLICY tenant ON relygate.purposes WITH CHECK (true)"),
     "pgtap and isolation", "rls-017"),
    ("extension-010", "REVOKE from PUBLIC", "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA relygate TO PUBLIC", "extension_010", "extension_010"),
]


class Scratch:
    """An installation, a cluster and a deployed database that may be spoiled."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.environment = {**os.environ, "RELYGATE_PREFIX": str(self.folder / "postgresql"), "RELYGATE_CLUSTER": str(self.folder / "cluster")}
        self.run(ROOT / "scripts/postgres", "install")
        self.pg_config = self.run(ROOT / "scripts/postgres", "pg-config").stdout.strip()
        for name in ("extension", "sql", "test"):              # with the objects: only what changes is compiled
            shutil.copytree(ROOT / name, self.folder / name)
        shutil.copy2(ROOT / "pytest.ini", self.folder)
        self.install()
        self.run(ROOT / "scripts/postgres", "create", self.folder / "cluster", "--scratch")
        self.sql("postgres", "CREATE DATABASE deployed")
        self.run(ROOT / "scripts/deploy", self.url("deployed"))

    def run(self, *command, check=True):
        result = subprocess.run([str(part) for part in command], env=self.environment, capture_output=True, text=True, check=False)
        if check and result.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stdout[-2000:]}{result.stderr[-4000:]}")
        return result

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{(self.folder / 'cluster.port').read_text().strip()}/{database}"

    def sql(self, database, *statements):
        for statement in statements:
            self.run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", statement)

    def install(self):
        self.run("make", "-C", self.folder / "extension", "-j2", "install", f"PG_CONFIG={self.pg_config}")

    def fresh_template(self):
        self.sql("postgres", "ALTER ROLE relygate_shim SET relygate.context_lifetime = 'transaction'",
                 "DROP DATABASE IF EXISTS relygate_template WITH (FORCE)", "CREATE DATABASE relygate_template TEMPLATE deployed",
                 "ALTER DATABASE relygate_template SET session_preload_libraries = 'relygate'")

    def replace(self, path, old, new):
        file = self.folder / path
        text = file.read_text()
        if old not in text:
            sys.exit(f"{path} does not hold: {old}")
        file.write_text(text.replace(old, new))

    def failed_tests(self, expression):
        """Names of failed tests, and of failed lines of pgTAP; None if a test could not even begin."""
        result = self.run("/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", self.folder, self.folder / "test/isolation",
                          self.folder / "test/sql/test_pgtap.py", "-k", expression, check=False)
        if re.search(r"^\d+ error|, \d+ error", result.stdout, re.M):
            print(result.stdout[-3000:], file=sys.stderr)
            return None
        return re.findall(r"^FAILED .*", result.stdout, re.M) + re.findall(r"not ok \d+ - .*", result.stdout)


def main():
    words = sys.argv[1:]
    missed = 0
    folder = tempfile.mkdtemp(prefix="relygate-defences.")
    os.chmod(folder, 0o711)
    scratch = Scratch(folder)
    try:
        for attack, defence, change, expression, expected in DEFENCES:
            if words and not any(word in f"{attack}: {defence}" for word in words):
                continue
            scratch.fresh_template()
            changes = change if isinstance(change, list) else [change] if isinstance(change, tuple) else []
            for path, old, new in changes:
                scratch.replace(path, old, new)
            if changes:
                scratch.install()
            else:
                scratch.sql("relygate_template", "DROP EVENT TRIGGER relygate_guard_ddl; DROP EVENT TRIGGER relygate_guard_drop", change)
            failed = scratch.failed_tests(expression)
            wanted = [expected] if " " in expected and expected.startswith("attack ") else expected.split()
            good = failed is not None and all(any(word in name for name in failed) for word in wanted)
            missed += not good
            shown = "; ".join(sorted({re.sub(r"^FAILED .*::|\[.*| - .*", "", name) if name.startswith("FAILED") else name for name in failed or []}))
            print(f"{attack} | {defence} | {'failed: yes' if good else 'failed: NO'} ({len(failed or [])}) | {shown[:300]}", flush=True)
            for path in {path for path, _, _ in changes}:
                shutil.copy2(ROOT / path, scratch.folder / path)
                os.utime(scratch.folder / path)
            if changes:
                scratch.install()
    finally:
        scratch.run(ROOT / "scripts/postgres", "stop", scratch.folder / "cluster", "immediate", check=False)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
