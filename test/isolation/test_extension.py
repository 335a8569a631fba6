"""DROP EXTENSION: attack 23, case extension-006. All in transactions that are rolled back."""
import pytest

from attackers import defended_by, ground  # noqa: F401: a fixture

COLUMNS = """SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
              WHERE c.relnamespace = ANY (%s::regnamespace[]) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""
SCHEMAS = ["relygate", "relygate_global"]


@pytest.fixture
def session(ground):
    with ground.session("postgres", autocommit=False) as session:
        yield session


@defended_by("postgresql")
def test_attack_23_extension_006_drop_is_refused(session):
    error = session.error("DROP EXTENSION relygate")
    assert error.pgcode == "2BP01"
    assert "on table relygate.hosts depends on function relygate.current_tenant()" in error.diag.message_detail


@defended_by("domains-outside")
def test_attack_23_extension_006_cascade_loses_no_row_and_no_column(ground, session):
    def content():
        session.run("SET LOCAL row_security = off")
        return {table: session.value(f"SELECT count(*) FROM {table}") for table in ground.tables}
    columns, rows = set(session.run(COLUMNS, SCHEMAS)), content()
    domains = session.value("SELECT count(*) FROM pg_type WHERE typtype = 'd' AND typnamespace = 'relygate'::regnamespace AND typname NOT LIKE '%%\\_input'")
    assert len(columns) > 150 and domains > 10
    session.run("SET LOCAL client_min_messages = error")
    session.run("DROP EXTENSION relygate CASCADE")
    assert columns - set(session.run(COLUMNS, SCHEMAS)) == set()
    assert content() == rows
    assert session.value("SELECT count(*) FROM pg_type WHERE typtype = 'd' AND typnamespace = 'relygate'::regnamespace") == domains
    assert session.value("SELECT count(*) FROM pg_constraint WHERE contypid <> 0 AND connamespace = 'relygate'::regnamespace "
                         "AND pg_get_constraintdef(oid) LIKE '%relygate.%'") == 0      # domains without their CHECK


@pytest.mark.parametrize("role", [
    pytest.param("relygate_api", marks=defended_by("row-level-security")), "relygate_reporting",
    pytest.param("relygate_owner", marks=defended_by("row-level-security", "force"))])
@defended_by("base-names-extension", "row-level-security-of-visits")
def test_attack_23_extension_006_afterwards_nobody_sees_a_row(ground, session, role):
    """The policies are gone with the extension, row-level security is not: no policy, no row."""
    session.run("SET LOCAL client_min_messages = error")
    session.run("DROP EXTENSION relygate CASCADE")
    session.run("SELECT set_config('app.tenant_id', %s, true)", ground.north)
    session.run(f"SET LOCAL ROLE {role}")
    for table in ground.tables:
        if role != "relygate_reporting" and session.value("SELECT has_table_privilege(%s, 'SELECT')", table):
            assert session.value(f"SELECT count(*) FROM {table}") == 0
    assert session.value("SELECT count(id) FROM relygate.visits") == 0
