"""handle_request with several backends at once: what one commits, the others know at once; what one holds, no other waits for.

No shim here: two connections with its role ask as it would. What one backend shows alone stands in test/sql/api.sql.
"""
import json
import threading

import psycopg2
import psycopg2.extras
import pytest

from conftest import wait_until

SLOW = """
CREATE FUNCTION relygate.{name}(name text) RETURNS TABLE (named text, said text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO relygate.purposes (kind, name) VALUES ('visit', {name}.name);
    PERFORM pg_advisory_xact_lock(4711);
    RETURN QUERY SELECT {name}.name, 'first'::text;
END $$;
GRANT EXECUTE ON FUNCTION relygate.{name}(text), pg_advisory_xact_lock(bigint) TO relygate_api;
INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, status, message)
VALUES ('POST', '/api/{name}', '{name}', 'signed_in', 'object', 201, 'Said');
"""


class Backend:
    def __init__(self, database):
        self.connection = database.connect("relygate_shim")

    def ask(self, who, method, path, body=None, key=None):
        headers = (["Content-Type", "application/json"] if body is not None else []) + (["Idempotency-Key", key] if key else [])
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT status, headers, convert_from(body, 'UTF8') FROM relygate.handle_request(%s, %s, %s, NULL, 'test', "
                "'127.0.0.1', %s, %s, '', %s, %s)",
                (*who, method, path, headers, json.dumps(body).encode() if body is not None else b""))
            status, headers, text = cursor.fetchone()
        return status, dict(zip(headers[::2], headers[1::2])), json.loads(text)


@pytest.fixture
def backends(database):
    made = [Backend(database), Backend(database)]
    yield made
    for backend in made:
        backend.connection.close()


@pytest.fixture(scope="module")
def who(database, tenants):
    """Tenant, user and session of a guard."""
    connection = database.connect(autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("SELECT id FROM relygate.users WHERE login_name = 'guard'")
        user = cursor.fetchone()[0]
        cursor.execute("INSERT INTO relygate.sessions (user_id, refresh_hash, expires_at) "
                       "VALUES (%s, sha256('x'), now() + interval '1 day') RETURNING id", (user,))
        session = cursor.fetchone()[0]
    connection.close()
    return tenants.north, user, session


def purposes(database, who, name):
    return database.value("SELECT count(*) FROM relygate.purposes WHERE tenant_id = %s AND name = %s", who[0], name)


def test_a_route_that_a_dba_adds_is_found_without_a_restart(database, backends, who):
    for backend in backends:
        assert backend.ask(who, "POST", "/api/say", {"name": "a"})[0] == 404
    database.run(SLOW.format(name="say"))
    for number, backend in enumerate(backends):
        status, _, body = backend.ask(who, "POST", "/api/say", {"name": f"say {number}"})
        assert (status, body["data"]["said"]) == (201, "first")
    database.run("CREATE OR REPLACE FUNCTION relygate.say(name text) RETURNS TABLE (named text, said text) LANGUAGE plpgsql AS "
                 "$$ BEGIN RETURN QUERY SELECT say.name, 'second'::text; END $$")
    assert backends[0].ask(who, "POST", "/api/say", {"name": "a"})[2]["data"]["said"] == "second"
    database.run("DROP FUNCTION relygate.say(text); CREATE FUNCTION relygate.say(nick text) RETURNS TABLE (said text) LANGUAGE plpgsql AS "
                 "$$ BEGIN RETURN QUERY SELECT 'third'::text; END $$; GRANT EXECUTE ON FUNCTION relygate.say(text) TO relygate_api")
    assert backends[1].ask(who, "POST", "/api/say", {"name": "a"})[2]["errors"][0]["field"] in ("name", "nick")
    assert backends[1].ask(who, "POST", "/api/say", {"nick": "a"})[2]["data"]["said"] == "third"
    database.run("DELETE FROM relygate_global.routes WHERE pattern = '/api/say'")
    for backend in backends:
        assert backend.ask(who, "POST", "/api/say", {"nick": "a"})[0] == 404


def test_a_revoked_session_is_refused_at_once_in_every_backend(database, backends, who):
    for backend in backends:
        assert backend.ask(who, "GET", "/api/purposes")[0] == 200
    database.run("UPDATE relygate.sessions SET revoked_at = now() WHERE id = %s", who[2])
    for backend in backends:
        status, headers, body = backend.ask(who, "GET", "/api/purposes")
        assert (status, body["code"]) == (401, "session_ended") and "WWW-Authenticate" in headers
    database.run("UPDATE relygate.sessions SET revoked_at = NULL WHERE id = %s", who[2])
    assert backends[0].ask(who, "GET", "/api/purposes")[0] == 200


def test_a_key_in_use_is_refused_and_not_waited_for(database, backends, who):
    database.run(SLOW.format(name="hold"))
    holder = database.connect(autocommit=False)
    with holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4711)")
    answers = []
    first = threading.Thread(target=lambda: answers.append(backends[0].ask(who, "POST", "/api/hold", {"name": "held"}, "key-1")))
    first.start()
    try:
        wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"), message="the first never waited")
        status, headers, body = backends[1].ask(who, "POST", "/api/hold", {"name": "held"}, "key-1")
        assert (status, body["code"], headers["Retry-After"]) == (409, "idempotency_key_in_use", "1")
    finally:
        holder.rollback()
        holder.close()
        first.join()
    assert answers[0][0] == 201
    assert backends[1].ask(who, "POST", "/api/hold", {"name": "held"}, "key-1") == answers[0]
    assert backends[1].ask(who, "POST", "/api/hold", {"name": "other"}, "key-1")[2]["code"] == "idempotency_key_reused"
    assert purposes(database, who, "held") == 1


def test_a_key_is_the_tenants_and_the_users_own(database, backends, tenants, who):
    database.run("CREATE FUNCTION relygate.echo(name text) RETURNS TABLE (named text) LANGUAGE sql AS 'SELECT name'; "
                 "GRANT EXECUTE ON FUNCTION relygate.echo(text) TO relygate_api; "
                 "INSERT INTO relygate_global.routes (method, pattern, function, permission, answer) VALUES ('POST', '/api/echo', 'echo', 'signed_in', 'object')")
    others = [(tenant, database.value("SELECT id FROM relygate.users WHERE tenant_id = %s AND login_name = %s", tenant, name), None)
              for tenant, name in ((tenants.north, "admin"), (tenants.south, "guard"))]
    for number, one in enumerate([who, *others]):
        status, _, body = backends[0].ask(one, "POST", "/api/echo", {"name": f"echo {number}"}, "key-2")
        assert (status, body["data"]["named"]) == (200, f"echo {number}")


def test_a_lost_connection_frees_the_key(database, backends, who):
    """The lock is the transaction's: who is thrown out in the middle has written nothing, and the repetition is the first."""
    database.run(SLOW.format(name="lose"))
    holder = database.connect(autocommit=False)
    with holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4711)")
    def lost():
        with pytest.raises(psycopg2.Error):
            backends[0].ask(who, "POST", "/api/lose", {"name": "lost"}, "key-3")
    thread = threading.Thread(target=lost)
    thread.start()
    wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
    database.run("SELECT pg_terminate_backend(%s)", backends[0].connection.info.backend_pid)
    thread.join()
    holder.rollback()
    holder.close()
    assert purposes(database, who, "lost") == 0
    assert backends[1].ask(who, "POST", "/api/lose", {"name": "lost"}, "key-3")[0] == 201
    assert purposes(database, who, "lost") == 1


def test_a_function_cannot_come_back_to_the_dispatcher(database, backends, who):
    database.run("CREATE FUNCTION relygate.again() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM relygate.handle_request(NULL, NULL, NULL, NULL, '', NULL, 'GET', '/', '', '{}', ''); END $$; "
                 "GRANT EXECUTE ON FUNCTION relygate.again() TO relygate_api; "
                 "INSERT INTO relygate_global.routes (method, pattern, function, permission, answer) VALUES ('POST', '/api/again', 'again', 'signed_in', 'none')")
    assert backends[0].ask(who, "POST", "/api/again")[0] == 500
    assert backends[0].ask(who, "GET", "/api/purposes")[0] == 200, "the backend works on"


def memory_of(database, backend):
    database.run("GRANT EXECUTE ON FUNCTION pg_get_backend_memory_contexts() TO relygate_shim; GRANT SELECT ON pg_backend_memory_contexts TO relygate_shim")
    with backend.connection.cursor() as cursor:
        cursor.execute("SELECT sum(used_bytes) FROM pg_backend_memory_contexts")
        return int(cursor.fetchone()[0])


def test_a_request_with_a_new_shape_each_time_leaks_nothing(database, backends, who):
    """Refusals, errors and answers a thousand times: the backend's memory stands still."""
    backend = backends[0]

    def work(times):
        for number in range(times):
            assert backend.ask(who, "GET", "/api/purposes")[0] == 200
            assert backend.ask(who, "POST", "/api/visits", {"purpose": "x" * number, "unknown": number})[0] == 400
            assert backend.ask(who, "GET", f"/api/nothing/{number}")[0] == 404

    work(50)
    before = memory_of(database, backend)
    work(300)
    assert memory_of(database, backend) - before < 200_000


def test_constraints_that_come_and_go_elsewhere_leak_nothing(database, backends, who):
    """Each of them makes PostgreSQL read anew what the domains of all parameters demand."""
    backend = backends[0]

    def work(times):
        for _ in range(times):
            database.run("CREATE TEMP TABLE keyed (id int PRIMARY KEY)")
            assert backend.ask(who, "GET", "/api/visits")[0] == 200
            assert backend.ask(who, "POST", "/api/visits/try", {"visitor": {"firstName": "Mem", "mobile": "9845555555"}})[0] == 200

    work(20)
    before = memory_of(database, backend)
    work(100)
    assert memory_of(database, backend) - before < 100_000


def test_only_the_operators_platform_acts_in_another_tenant(database, backends, tenants, who):
    """tenant_argument turns the context, once, and only a platform permission of the operator's tenant gets there."""
    connection = database.connect(autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM relygate.create_tenant('OPERATOR', 'Operator', 'other', 'UTC', 'DE', is_operator => true)")
        operator = cursor.fetchone()[0]
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (operator,))
        cursor.execute("SELECT id FROM relygate.create_user(user_name => 'chief', password => 'Gate-keeper-7431', role => 'platform_admin')")
        chief = (operator, cursor.fetchone()[0], None)
    connection.close()
    database.run("CREATE FUNCTION relygate.count_users(tenant uuid) RETURNS TABLE (acted_in uuid, users bigint, acted_by uuid) LANGUAGE plpgsql AS "
                 "$$ BEGIN RETURN QUERY SELECT relygate.current_tenant(), count(*), relygate.current_user_id() FROM relygate.users; END $$; "
                 "GRANT EXECUTE ON FUNCTION relygate.count_users(uuid) TO relygate_api; "
                 "INSERT INTO relygate.product_routes (method, pattern, function, permission, answer, read_only, tenant_argument) "
                 "VALUES ('GET', '/api/count-users/{tenant}', 'count_users', 'platform.read', 'object', true, 'tenant')")
    for tenant in (tenants.north, tenants.south, operator):
        status, _, body = backends[0].ask(chief, "GET", f"/api/count-users/{tenant}")
        users = database.value("SELECT count(*) FROM relygate.users WHERE tenant_id = %s", tenant)
        assert (status, body["data"]) == (200, {"actedIn": tenant, "users": users, "actedBy": chief[1]})
    assert backends[0].ask(who, "GET", f"/api/count-users/{tenants.south}")[0] == 403
    assert backends[0].ask(chief, "GET", "/api/count-users/7")[0] == 400
