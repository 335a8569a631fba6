"""What one request leaves behind for the next on the same database connection: nothing (rls-003). And a route that a DBA adds."""
import pytest

from client import Client
from conftest import wait_until
from toy import get


@pytest.fixture(scope="module")
def probe(database):
    """Routes of a DBA that tell the context as the function sees it, and one that fails after a row was written."""
    database.run("""
        CREATE FUNCTION relygate.probe_context() RETURNS relygate.answer LANGUAGE plpgsql AS $$
        BEGIN
            RETURN ROW(200, 'application/json', '{}'::text[], convert_to(json_build_object('tenant', current_setting('app.tenant_id', true),
                'user', current_setting('app.user_id', true), 'pid', pg_backend_pid())::text, 'UTF8'))::relygate.answer;
        END $$;
        CREATE FUNCTION relygate.probe_failure() RETURNS relygate.answer LANGUAGE plpgsql AS $$ BEGIN RETURN 1 / 0; END $$;
        GRANT EXECUTE ON FUNCTION relygate.probe_context(), relygate.probe_failure() TO relygate_api;
        INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only, lane) VALUES
            ('POST', '/api/probe/open', 'probe_context', 'public', 'answer', false, 'write'),
            ('POST', '/api/probe/mine', 'probe_context', 'signed_in', 'answer', false, 'write'),
            ('POST', '/api/probe/failure', 'probe_failure', 'signed_in', 'answer', false, 'write')""")


@pytest.fixture(scope="module")
def narrow(database, tenants, shims):
    """One connection a lane, so that requests must follow each other on it."""
    return shims(database, DB_POOL_MAX="4", CLUSTER_WORKERS="1")


def test_a_route_that_a_dba_adds_is_served(narrow, probe):
    wait_until(lambda: get(narrow, "/api/probe/open", method="POST").status == 200, 5)


def test_no_context_is_left_by_success_failure_or_anybody(narrow, probe, tenants):
    north, south, nobody = tenants.client(narrow, "north", "guard"), tenants.client(narrow, "south", "guard"), Client(narrow.url)
    wait_until(lambda: nobody.post("/api/probe/open").status == 200, 5)
    for _ in range(3):
        mine = north.post("/api/probe/mine").json
        assert mine["tenant"] == tenants.north
        assert north.get("/api/visits").status == 200
        assert south.post("/api/probe/failure").status >= 400
        assert south.post("/api/visits", {"visitorId": "nonsense"}).status == 400
        empty = nobody.post("/api/probe/open").json
        assert not empty["tenant"] and not empty["user"], f"a context was left: {empty}"
        assert empty["pid"] == mine["pid"], "the test needs one connection"
        assert south.post("/api/probe/mine").json["tenant"] == tenants.south
        assert not nobody.post("/api/probe/open").json["tenant"]
