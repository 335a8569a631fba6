"""bind_role and unbind_role: which logins may be bound, what a binding does to open sessions, what validate_schema finds later."""
import psycopg2
import pytest

from attackers import FORBIDDEN, defended_by, ground  # noqa: F401: a fixture
from conftest import wait_until

VISITS = "SELECT count(*) FROM relygate_report.visits"
BIND = "SELECT relygate.bind_role(%s, %s)"


@pytest.fixture
def login(ground):
    """A login without any right, made anew for each test."""
    name = f"login_{ground.database.name}"
    ground.database.run(f"CREATE ROLE {name} LOGIN")
    yield name
    ground.database.run(f"DROP OWNED BY {name} CASCADE")
    ground.database.run(f"DROP ROLE {name}")


TOO_MUCH = ["ALTER ROLE {0} SUPERUSER", "ALTER ROLE {0} BYPASSRLS", "ALTER ROLE {0} REPLICATION", "ALTER ROLE {0} CREATEROLE"] + [
    f"GRANT {role} TO {{0}}" for role in (
        "relygate_owner", "relygate_api", "relygate_platform", "relygate_backup", "pg_read_all_data", "pg_write_all_data", "pg_monitor",
        "pg_read_all_stats", "pg_signal_backend", "pg_read_server_files", "pg_write_server_files", "pg_execute_server_program")] + [
    "GRANT SET ON PARAMETER app.tenant_id TO {0}", "GRANT SET ON PARAMETER app.user_id TO {0}",
    "CREATE VIEW relygate_report.own AS SELECT 1 AS i; ALTER VIEW relygate_report.own OWNER TO {0}",
    pytest.param("ALTER ROLE {0} CREATEDB", marks=defended_by("binding-attributes"))] + [
    pytest.param(right, marks=defended_by("binding-excess")) for right in (
        "GRANT INSERT ON relygate.visits TO {0}", "GRANT SELECT (password_hash) ON relygate.users TO {0}", "GRANT SELECT ON relygate_global.routes TO {0}",
        "GRANT EXECUTE ON FUNCTION relygate.sign_token(uuid, uuid, text) TO {0}", "GRANT EXECUTE ON FUNCTION relygate.create_visit TO {0}")]


@pytest.mark.parametrize("right", TOO_MUCH)
@defended_by("binding-obstacles")
def test_a_login_that_no_binding_can_hold(ground, login, right):
    with ground.session("postgres", autocommit=False) as session:     # roles are the cluster's: no other test is to see this one
        session.run(right.format(login))
        error = session.error(BIND, login, ground.north)
    assert error.pgcode == FORBIDDEN and error.diag.message_primary == f'role "{login}" cannot be bound to a tenant'
    assert ground.database.value("SELECT count(*) FROM pg_db_role_setting WHERE setrole = %s::regrole", login) == 0


# With such a right of relygate_reporting there is a finding already.
@pytest.mark.parametrize("right", ["ALTER ROLE {0} BYPASSRLS"] + [
    pytest.param(right, marks=defended_by("no-server-roles", "statements-of-others-hidden"))
    for right in ("GRANT relygate_api TO {0}", "GRANT SET ON PARAMETER app.tenant_id TO {0}")])
@defended_by("validate-schema")
def test_a_bound_login_that_gained_rights_is_found(ground, login, right):
    with ground.session("postgres", autocommit=False) as session:
        session.run(BIND, login, ground.north)

        def findings():
            return set(session.run("SELECT * FROM relygate.validate_schema() WHERE object = %s", f"role {login}"))
        before = findings()
        session.run(right.format(login))
        assert len(findings() - before) == 1


def test_an_unknown_role_or_tenant(ground, login):
    with ground.session("postgres") as session:
        assert session.refused(BIND, "nobody_here", ground.north) == "42704"
        assert session.refused(BIND, login, "00000000-0000-7000-8000-000000000000") == "P0002"


def test_null_is_no_role_and_no_tenant(ground, login):
    for call in ("bind_role(NULL, NULL)", f"bind_role(NULL, '{ground.north}')", f"bind_role('{login}', NULL)", "unbind_role(NULL)"):
        with ground.session("postgres") as session, pytest.raises(psycopg2.Error) as raised:
            session.run(f"SELECT relygate.{call}")
        assert raised.value.pgcode == "22004", call


# With such a right of relygate_reporting none of its members could be bound again.
@defended_by("sessions-end", "no-server-roles", "statements-of-others-hidden", "ownership", "ownership-and-guard", "suset-and-entitlement")
def test_sessions_end_when_the_binding_changes(ground, login):
    """An open session keeps the tenant of its start; a new one has the new tenant."""
    def ended(session):
        try:
            session.run("SELECT 1")
        except psycopg2.OperationalError:
            return True
        return False

    ground.database.run(BIND, login, ground.north)
    with ground.session(login) as session:
        assert session.value(VISITS) == 3
        ground.database.run(BIND, login, ground.south)
        wait_until(lambda: ended(session), message="the session did not end")
    with ground.session(login) as session:
        assert session.value(VISITS) == 5
        with ground.session("postgres", autocommit=False) as other:
            other.run("SELECT relygate.unbind_role(%s)", login)
            assert session.value(VISITS) == 5       # not before the commit
            other.connection.rollback()
        assert session.value(VISITS) == 5           # and not at all without it
        ground.database.run("SELECT relygate.unbind_role(%s)", login)
        wait_until(lambda: ended(session), message="the session did not end")
    with ground.session(login) as session:
        assert session.refused(VISITS) == FORBIDDEN     # no longer in relygate_reporting


def test_binding_follows_the_login(ground, login):
    ground.database.run(BIND, login, ground.south)
    with ground.session(login) as session:
        session.run("SET ROLE relygate_reporting")
        assert session.value(VISITS) == 5
    ground.database.run(f"GRANT {ground.reader} TO {login}")
    with ground.session(login) as session:
        session.run(f"SET ROLE {ground.reader}")
        assert session.value(VISITS) == 5               # a setting of the role one changes to is not read


@defended_by("suset", "suset-and-entitlement")
def test_attack_2_a_login_cannot_shed_its_binding(ground, login):
    ground.database.run(BIND, login, ground.north)
    with ground.session(login) as session:
        session.run(f"ALTER ROLE CURRENT_USER IN DATABASE {ground.database.name} RESET ALL")    # leaves what one may not set
    with ground.session(login) as session:
        assert session.tenants_seen() == [ground.north]


@defended_by("rights-forgotten", "entitlement", "suset-and-entitlement")
def test_attack_25_revoked_right_stops_an_open_session(ground, login):
    ground.database.run(f"GRANT relygate_api TO {login}")
    with ground.session(login) as session:
        session.run(f"SELECT set_config('app.tenant_id', '{ground.north}', false)")
        assert session.value("SELECT count(*) FROM relygate.visits") == 3
        ground.database.run(f"GRANT SELECT ON relygate.visits TO {login}; GRANT USAGE ON SCHEMA relygate TO {login};"
                            f"GRANT EXECUTE ON FUNCTION relygate.current_tenant() TO {login}; REVOKE relygate_api FROM {login}")
        error = session.error("SELECT count(*) FROM relygate.visits")
        assert error.pgcode == FORBIDDEN and "may not choose a tenant" in error.diag.message_primary
        ground.database.run(f"GRANT SET ON PARAMETER app.tenant_id TO {login}")
        assert session.value("SELECT count(*) FROM relygate.visits") == 3
