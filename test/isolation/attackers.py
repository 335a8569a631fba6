"""The ground of the attacks on isolation: two tenants with rows, and the logins that attack.

Role settings apply at login only, so every attack comes by a connection of its own. Roles belong to the cluster: each test file
makes its own, named by its database, and takes them away again. Attacks have the numbers of docs/isolation.md. Each test names
the defences that it guards (test/mutation/defence.py); `make mutation` takes them out one by one and sees exactly those tests fail.
"""
import contextlib
import io

import psycopg2
import pytest

defended_by = pytest.mark.defence
NO_CONTEXT, WRONG_CONTEXT, FORBIDDEN, SECOND_TENANT = "RG401", "RG500", "42501", "25001"

# Every table of a tenant, as the catalogue knows them: a new one is attacked without being named here.
PROTECTED = """SELECT c.oid::regclass::text FROM pg_class c
                WHERE c.relnamespace = 'relygate'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                ORDER BY 1"""


def state_of(error):
    """SQLSTATE; a refused connection has none, but is as good as a refused statement."""
    return error.pgcode or FORBIDDEN


@contextlib.contextmanager
def working_for(database, tenant):
    connection = database.connect(autocommit=False)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
            cursor.execute("SET LOCAL ROLE relygate_api")    # a superuser sees all tenants' sites
            yield lambda sql, *arguments: cursor.execute(sql, arguments or None)
    finally:
        connection.close()


class Ground:
    def __init__(self, database, tenants):
        self.database, self.north, self.south = database, tenants.north, tenants.south
        self.tables = [row[0] for row in database.run(PROTECTED)]
        name = database.name
        # reader_*: bound to a tenant. chooser: may choose one, for a session. stranger: a login without any right.
        # owner: a member of relygate_owner.
        self.reader, self.reader_south, self.chooser, self.stranger, self.owner = self.logins = [
            f"{word}_{name}" for word in ("reader", "readers", "chooser", "stranger", "owner")]
        for login in self.logins:
            database.run(f"CREATE ROLE {login} LOGIN")
        database.run(f"GRANT relygate_api TO {self.chooser}")
        database.run(f"GRANT relygate_owner TO {self.owner}")
        database.run("SELECT relygate.bind_role(%s, %s)", self.reader, self.north)
        database.run("SELECT relygate.bind_role(%s, %s)", self.reader_south, self.south)
        # A schema of his own is all that an attacker may have.
        for login in (self.reader, self.chooser):
            database.run(f"CREATE SCHEMA own_{login} AUTHORIZATION {login}")
        self.add_rows(database, tenants)

    @staticmethod
    def add_rows(database, tenants):
        """Three visits of north, five of south, unless the template has them."""
        for tenant, names, mobile in ((tenants.north, ["Asha", "Ravi", "Meera"], "+9198450123{:02d}"),
                                      (tenants.south, ["Omar", "Layla", "Yusuf", "Noor", "Zayd"], "+9715012345{:02d}")):
            if database.value("SELECT count(*) FROM relygate.visits WHERE tenant_id = %s", tenant) == 0:
                with working_for(database, tenant) as run:
                    for number, name in enumerate(names):
                        run("SELECT relygate.create_visit(visitor__first_name => %s, visitor__mobile => %s, purpose => 'Delivery')",
                            name, mobile.format(number))

    def count(self, table, tenant):
        column = "id" if table == "relygate.tenants" else "tenant_id"
        return self.database.value(f"SELECT count(*) FROM {table} WHERE {column} = %s", tenant)

    def session(self, login, options=None, autocommit=True):
        return Session(self.database.connect(login, options, autocommit))

    def close(self):
        for login in self.logins:
            self.database.run(f"DROP OWNED BY {login} CASCADE")
            self.database.run(f"DROP ROLE {login}")


class Session:
    """One connection of an attacker."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def run(self, sql, *arguments):
        with self.connection.cursor() as cursor:
            if sql.startswith("COPY"):
                return cursor.copy_expert(sql, io.StringIO())
            cursor.execute(sql, arguments or None)
            return cursor.fetchall() if cursor.description else None

    def value(self, sql, *arguments):
        return self.run(sql, *arguments)[0][0]

    def error(self, sql, *arguments):
        """The error that this statement must raise."""
        with pytest.raises(psycopg2.Error) as raised:
            rows = self.run(sql, *arguments)
            pytest.fail(f"not refused, it returned {rows}: {sql}", pytrace=False)
        return raised.value

    def refused(self, sql, *arguments):
        return state_of(self.error(sql, *arguments))

    def tenants_seen(self, table="relygate.visits"):
        """The tenants whose rows this session sees."""
        return [row[0] for row in self.run(f"SELECT DISTINCT tenant_id FROM {table}")]


@pytest.fixture(scope="module")
def ground(database, tenants):
    made = Ground(database, tenants)
    yield made
    made.close()
