"""scripts/upgrade-script: from a script to a changed one, installed and compared with a fresh installation of the changed one."""
import os
import re

import pytest

from conftest import ROOT
from upgrading import differences, empty_database, install, routes, snapshot, upgrade_script

RELEASED = (ROOT / "sql/released/relygate--1.0.0.sql").read_text()
NEW_FUNCTION = """
CREATE FUNCTION @extschema@.count_bells(bells int, OUT rung int) RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN rung := bells; -- one ; and 'one'
END $$;
COMMENT ON FUNCTION @extschema@.count_bells(int) IS 'Bells; all of them.';
REVOKE ALL ON FUNCTION @extschema@.count_bells(int) FROM PUBLIC;
CREATE DOMAIN @extschema@.bell_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.bell_input IS 'A bell.';
"""


def block(start, end="FROM PUBLIC;"):
    """A released statement and what follows it, up to its REVOKE."""
    begin = RELEASED.index(start)
    return RELEASED[begin:RELEASED.index(end, begin) + len(end)]


def edit(old, new):
    def change(text):
        assert text.count(old) == 1, f"{text.count(old)} times: {old}"
        return text.replace(old, new)
    return change


OWN_TENANT = block("CREATE FUNCTION @extschema@.own_tenant()")
CHANGES = {
    "nothing": lambda text: text,
    "a new function and a domain": lambda text: text + NEW_FUNCTION,
    "another body": edit("COMMENT ON FUNCTION @extschema@.version() IS 'The version of the loaded library.';",
                         "COMMENT ON FUNCTION @extschema@.version() IS 'It''s the version; of the library.';"),
    "another volatility": lambda text: text.replace(OWN_TENANT, OWN_TENANT.replace("PARALLEL RESTRICTED", "PARALLEL UNSAFE")),
    "another default": edit("is_operator boolean DEFAULT false) RETURNS SETOF @extschema@.tenant", "is_operator boolean DEFAULT NULL) RETURNS SETOF @extschema@.tenant"),
    "a default that went": edit("is_operator boolean DEFAULT false) RETURNS SETOF @extschema@.tenant", "is_operator boolean) RETURNS SETOF @extschema@.tenant"),
    "a renamed argument": lambda text: text.replace("random_digits(length int)", "random_digits(digits int)"),
    "another return type": lambda text: text.replace("random_digits(length int) RETURNS text", "random_digits(length int) RETURNS pg_catalog.varchar"),
    "an attribute more": edit("is_operator boolean, created_at timestamptz, updated_at timestamptz);\nCOMMENT ON TYPE @extschema@.tenant IS",
                              "is_operator boolean, created_at timestamptz, updated_at timestamptz, bells numeric(8, 2), rung int);\nCOMMENT ON TYPE @extschema@.tenant IS"),
    "an attribute between": edit("id uuid, code text, name text, kind text, time_zone text, country text, state text, subscription_from date,",
                                 "id uuid, code text, bells int, name text, kind text, time_zone text, country text, state text, subscription_from date,"),
    "a function and its route that went": lambda text: re.sub(
        r"INSERT INTO @extschema@\.product_routes [^;]*\nVALUES \('GET', '/api/tenant',[^;]*;", "", text.replace(block("CREATE FUNCTION @extschema@.random_digits"), "")),
    "another route": edit("('GET', '/api/tenant', 'own_tenant', 'signed_in', 'object', 'Tenant', true, 'read')",
                          "('GET', '/api/tenant', 'own_tenant', 'tenants.read', 'object', 'Own; tenant', true, 'read'),\n"
                          "    ('GET', '/api/bells', 'own_tenant', 'public', 'object', 'Bells', true, 'slow')"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_upgraded_equals_fresh(cluster, tmp_path, name):
    new = CHANGES[name](RELEASED)
    assert (new != RELEASED) == (name != "nothing")
    old_path, new_path, between = (tmp_path / f"relygate--{version}.sql" for version in ("90.0", "90.1", "90.0--90.1"))
    old_path.write_text(RELEASED)
    new_path.write_text(new)
    between.write_text(upgrade_script(old_path, new_path).stdout)
    upgraded, fresh = empty_database(cluster), empty_database(cluster)
    installed = install(upgraded, old_path, new_path, between)
    try:
        upgraded.run("CREATE EXTENSION relygate VERSION '90.0'")
        before = snapshot(upgraded)
        # A grant of the moment: it must not become an initial right, which a dump would leave out.
        upgraded.run("CREATE ROLE test_bell_ringer; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA relygate TO test_bell_ringer")
        upgraded.run("ALTER EXTENSION relygate UPDATE TO '90.1'")
        upgraded.run("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA relygate FROM test_bell_ringer")
        fresh.run("CREATE EXTENSION relygate VERSION '90.1'")
        assert (snapshot(fresh) != before) == (name != "nothing" and name != "another route")
        assert differences(snapshot(fresh), snapshot(upgraded)) == {}
        assert routes(fresh) == routes(upgraded)
    finally:
        for path in installed:
            os.remove(path)
        for database in (upgraded, fresh):
            cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')
        cluster.run("DROP ROLE IF EXISTS test_bell_ringer")


@pytest.mark.parametrize("change, message", [
    (edit("    tenant_argument text,\n", "    tenant_argument text, bells int,\n"), "product_routes has changed"),
    (lambda text: text + "ALTER DOMAIN @extschema@.mobile_input SET NOT NULL;", "no rule for this statement"),
    (lambda text: text + "CREATE FUNCTION @extschema@.bells() RETURNS int LANGUAGE sql AS 'SELECT 1';", "a COMMENT must follow"),
    (lambda text: text + "SELECT 1", "ends inside a statement")])
def test_what_it_cannot_do_it_says(tmp_path, change, message):
    old, new, by_hand = tmp_path / "relygate--90.0.sql", tmp_path / "relygate--90.1.sql", tmp_path / "by_hand.sql"
    old.write_text(RELEASED)
    new.write_text(change(RELEASED))
    done = upgrade_script(old, new, check=False)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
    if "product_routes" in message:
        by_hand.write_text("-- Bells\nALTER TABLE @extschema@.product_routes ADD COLUMN bells int;\n")
        assert "ADD COLUMN bells int;" in upgrade_script(old, new, by_hand).stdout


@pytest.mark.parametrize("words, code", [(["--help"], 0), ([], 2), (["one.sql", "two.sql"], 2)])
def test_usage(words, code):
    done = upgrade_script(*words, check=False)
    assert done.returncode == code and "usage:" in (done.stderr if code else done.stdout)
