"""Backends keep what users may do. Whatever takes a right away, by whomever, every backend refuses from its next transaction on."""
import pytest

from attackers import defended_by
from conftest import wait_until

CALL = ("SELECT status FROM relygate.handle_request(%s, %s, %s, now() + interval '7 hours', 'r', '127.0.0.1', %s, %s, '', "
        "'{content-type,application/json}', %s)")
READERS = "('tenants', 'users', 'roles', 'sessions')"


@pytest.fixture
def person(database, tenants):
    """A user with a role of the tenant's own and a live session, in a state that no other test has touched."""
    connection = database.connect(autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("INSERT INTO relygate.roles (name) VALUES (gen_random_uuid()::text) RETURNING id::text")
        role = cursor.fetchone()[0]
        cursor.execute("INSERT INTO relygate.role_permissions (role_id, permission) VALUES (%s, 'visits.read'), (%s, 'places.write')", (role, role))
        cursor.execute("INSERT INTO relygate.users (user_name, password_hash, role_id) SELECT 'u' || left(md5(random()::text), 20), password_hash, %s "
                       "FROM relygate.users LIMIT 1 RETURNING id::text", (role,))
        user = cursor.fetchone()[0]
        cursor.execute("INSERT INTO relygate.sessions (user_id, refresh_hash, expires_at) VALUES (%s, sha256(%s), now() + interval '1 day') RETURNING id::text",
                       (user, role.encode()))
        session = cursor.fetchone()[0]
    connection.close()
    made = Person(database, tenants.north, user, role, session)
    yield made
    made.backend.close()
    made.change("UPDATE relygate.tenants SET state = 'active' WHERE id = %(tenant)s")


class Person:
    def __init__(self, database, tenant, user, role, session):
        self.database, self.tenant, self.user, self.role, self.session = database, tenant, user, role, session
        self.backend = database.connect("relygate_shim")

    def ask(self, method="GET", path="/api/visits", body=None, cursor=None):
        cursor = cursor or self.backend.cursor()
        cursor.execute(CALL, (self.tenant, self.user, self.session, method, path, body))
        return cursor.fetchone()[0]

    def read(self):
        return self.ask()

    def write(self):
        return self.ask("POST", "/api/gates", b"{}")     # 400 where it may: there is no name

    def change(self, sql, replica=False):
        connection = self.database.connect(autocommit=False)
        with connection, connection.cursor() as cursor:
            if replica:
                cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (self.tenant,))
            cursor.execute(sql, {"user": self.user, "role": self.role, "session": self.session, "tenant": self.tenant})
            assert cursor.rowcount == 1
        connection.close()


TAKEN = {
    "session revoked": ("UPDATE relygate.sessions SET revoked_at = now() WHERE id = %(session)s", 401, 401),
    "session over": ("UPDATE relygate.sessions SET expires_at = now() WHERE id = %(session)s", 401, 401),
    "session deleted": ("DELETE FROM relygate.sessions WHERE id = %(session)s", 401, 401),
    "user inactive": ("UPDATE relygate.users SET is_active = false WHERE id = %(user)s", 401, 401),
    "another role": ("UPDATE relygate.users SET role_id = (SELECT id FROM relygate.roles WHERE name = 'security_guard' AND tenant_id = %(tenant)s) WHERE id = %(user)s", 200, 403),
    "permission taken": ("DELETE FROM relygate.role_permissions WHERE role_id = %(role)s AND permission = 'places.write'", 200, 403),
    "permission exchanged": ("UPDATE relygate.role_permissions SET permission = 'audit.read' WHERE role_id = %(role)s AND permission = 'places.write'", 200, 403),
    "role made built-in": ("UPDATE relygate.roles SET is_built_in = true WHERE id = %(role)s", 403, 403),
    "tenant suspended": ("UPDATE relygate.tenants SET state = 'suspended' WHERE id = %(tenant)s", 200, 423),
}


# Whatever is taken away, backends must be told of it; and of these, what it was good for must be asked.
ALSO = {"session revoked": defended_by("session-not-revoked"), "session over": defended_by("session-not-over"), "user inactive": defended_by("user-active"),
        "tenant suspended": defended_by("tenant-suspended")}


@defended_by("rights-told")
@pytest.mark.parametrize("name", [pytest.param(name, marks=ALSO.get(name, ())) for name in TAKEN])
@pytest.mark.parametrize("replica", [False, True], ids=["as always", "with triggers off"])
def test_what_is_taken_away_is_refused_from_the_next_transaction_on(person, name, replica):
    sql, read, write = TAKEN[name]
    assert (person.read(), person.write()) == (200, 400)
    person.change(sql, replica)
    assert (person.read(), person.write()) == (read, write)


@defended_by("rights-told")
def test_what_is_given_works_from_the_next_transaction_on(person):
    assert person.ask(path="/api/audit") == 403
    person.change("INSERT INTO relygate.role_permissions (role_id, permission) VALUES (%(role)s, 'audit.read')")
    assert person.ask(path="/api/audit") == 200


@defended_by("operator-only")
def test_what_is_the_operators_no_role_of_another_tenant_has(person, database):
    database.run("INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only, lane) "
                 "VALUES ('GET', '/api/platform-only', 'userinfo', 'platform.read', 'object', true, 'read')")
    person.change("UPDATE relygate.roles SET name = 'platform_admin', is_built_in = true WHERE id = %(role)s")
    assert person.ask(path="/api/users") == 200, "the role has the rights of its name"
    assert person.ask(path="/api/platform-only") == 403


@defended_by("session-not-over")
def test_a_session_ends_by_itself(person):
    person.change("UPDATE relygate.sessions SET expires_at = clock_timestamp() + interval '1 second' WHERE id = %(session)s")
    assert person.read() == 200
    wait_until(lambda: person.read() == 401, 10, "the session did not end")


def test_it_is_kept_where_nothing_changed(person):
    """Else nothing here is tested: the second request reads none of the tables that rights come from."""
    def scans():
        cursor.execute(f"SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables WHERE relname IN {READERS}")
        return cursor.fetchone()[0]
    person.backend.autocommit = False
    cursor = person.backend.cursor()
    assert person.ask(cursor=cursor, path="/api/no-such-route") == 404
    before = scans()
    assert person.ask(cursor=cursor, path="/api/gates") == 403
    looked_up = scans()
    assert looked_up > before
    assert person.ask(cursor=cursor, path="/api/gates") == 403
    assert scans() == looked_up


@defended_by("rights-told", "user-active")
def test_what_is_rolled_back_was_never_so(person):
    person.backend.autocommit = False
    cursor = person.backend.cursor()
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (person.tenant,))
    cursor.execute("UPDATE relygate.users SET is_active = false WHERE id = %s", (person.user,))
    assert person.ask(cursor=cursor) == 401
    person.backend.rollback()
    assert person.ask(cursor=cursor) == 200
    person.backend.rollback()

    person.change("UPDATE relygate.users SET is_active = false WHERE id = %(user)s")
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (person.tenant,))
    cursor.execute("UPDATE relygate.users SET is_active = true WHERE id = %s", (person.user,))
    assert person.ask(cursor=cursor) == 200
    person.backend.rollback()
    assert person.ask(cursor=cursor) == 401


def test_a_session_that_was_rolled_back_never_was(person):
    person.backend.autocommit = False
    cursor = person.backend.cursor()
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (person.tenant,))
    cursor.execute("INSERT INTO relygate.sessions (user_id, refresh_hash, expires_at) VALUES (%s, sha256('x'), now() + interval '1 day') RETURNING id::text", (person.user,))
    person.session = cursor.fetchone()[0]
    assert person.ask(cursor=cursor) == 200
    person.backend.rollback()
    assert person.ask(cursor=cursor) == 401


@defended_by("rights-of-old-snapshots", "user-active")
def test_an_old_snapshot_keeps_nothing_for_later(person):
    """A repeatable read that began before the change may still answer; it must not leave that answer to others."""
    person.backend.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    cursor = person.backend.cursor()
    cursor.execute("SELECT 1")
    person.change("UPDATE relygate.users SET is_active = false WHERE id = %(user)s")
    assert person.ask(cursor=cursor) == 200
    person.backend.rollback()
    person.backend.set_session(isolation_level="READ COMMITTED", autocommit=True)
    assert person.read() == 401


@defended_by("session-of-request")
def test_the_session_of_a_request_is_not_that_of_the_next(person):
    """current_session_id() is what logout ends; a transaction that brings none has none."""
    person.backend.autocommit = True
    cursor = person.backend.cursor()
    assert person.ask(cursor=cursor) == 200
    cursor.execute("SELECT relygate.current_session_id()")
    assert cursor.fetchone()[0] is None
    person.backend.autocommit = False
    assert person.ask(cursor=cursor) == 200
    cursor.execute("SELECT relygate.current_session_id()::text")
    assert cursor.fetchone()[0] == person.session
    person.backend.rollback()
    cursor.execute("SELECT relygate.current_session_id()")
    assert cursor.fetchone()[0] is None
    person.backend.rollback()


def test_the_last_login_disturbs_nobody(person):
    person.backend.autocommit = False
    cursor = person.backend.cursor()
    assert person.ask(cursor=cursor, path="/api/gates") == 403
    person.change("UPDATE relygate.users SET last_login_at = now() WHERE id = %(user)s")
    cursor.execute(f"SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables WHERE relname IN {READERS}")
    before = cursor.fetchone()[0]
    assert person.ask(cursor=cursor, path="/api/gates") == 403
    cursor.execute(f"SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables WHERE relname IN {READERS}")
    assert cursor.fetchone()[0] == before
