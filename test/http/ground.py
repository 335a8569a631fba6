"""The ground of the cases (test/cases/README.md): tenant north is Indian, with one site and one gate, no capacity, hosts not asked."""
import concurrent.futures
import secrets
import threading

import pytest


def some_mobile():
    return f"+919{secrets.randbelow(10**9):09d}"


def walk_in(first_name="Ravi", mobile=None, purpose="Delivery", **more):
    """The body of a walk-in with a person nobody has seen before."""
    return {"visitor": {"firstName": first_name, "mobile": mobile or some_mobile()}, "purpose": purpose, **more}


def at_once(client, count, ask):
    """The answers to so many requests of the same instant, each on a connection that stands already; ask(client, number)."""
    barrier = threading.Barrier(count)

    def one(number):
        client.get("/api/auth/userinfo")
        barrier.wait()
        return ask(client, number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


class Ground:
    def __init__(self, database, tenant, admin):
        self.database, self.tenant, self.admin = database, tenant, admin
        self.site = admin.get("/api/sites").data[0]["id"]
        self.gate = admin.post("/api/gates", {"name": "Main gate"}).data["id"]

    def rows(self, table, condition="true", *arguments):
        return self.database.value(f"SELECT count(*) FROM relygate.{table} WHERE tenant_id = %s AND {condition}", self.tenant, *arguments)

    def written(self):
        """Everything that a refused request might have left behind."""
        return self.rows("visits"), self.rows("visitors"), self.rows("audit_log")

    def move(self, visit, came, left=None):
        """A DBA moves a visit to other hours: under the tenant's context, with every rule and the audit."""
        connection = self.database.connect(options=f"-c app.tenant_id={self.tenant}")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE relygate.visits SET requested_at = %s, checked_in_at = %s, checked_out_at = %s WHERE id = %s", (came, came, left, visit))
        connection.close()

    def inside(self):
        return self.admin.get(f"/api/sites/{self.site}/occupancy").data["inside"]

    def set_site(self, **members):
        answer = self.admin.patch(f"/api/sites/{self.site}", members)
        assert answer.status == 200, answer
        return answer.data

    def visitor(self, first_name="Vani", **more):
        answer = self.admin.post("/api/visitors", {"firstName": first_name, "mobile": some_mobile(), **more})
        assert answer.status == 201, answer
        return answer.data

    def empty(self):
        """Everybody leaves; the site is as the cases want it."""
        self.set_site(capacity=None, askHost=False, timeZone="Asia/Kolkata")
        while visits := self.admin.get("/api/visits/current?pageSize=100").data:
            for visit in visits:
                assert self.admin.post(f"/api/visits/{visit['id']}/check-out").status == 200


@pytest.fixture(scope="module")
def ground(database, tenants, admin):
    return Ground(database, tenants.north, admin)


@pytest.fixture
def quiet(ground):
    """The ground with nobody inside, before and after."""
    ground.empty()
    yield ground
    ground.empty()
