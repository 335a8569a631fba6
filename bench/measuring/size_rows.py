"""Whether reading stays as fast in a large tenant as in a small one beside it: bench/fill makes both, and the same backend
serves them in turn, so that plans made for one are used for the other."""
import statistics
import subprocess
import time

from .ground import ROOT
from .report import Row

ROWS = [
    Row("list_search", "list with search that finds one visit, LARGE visits ÷ 10,000", 2, False),
    Row("list_common", "list with search for a usual name, which finds as many more, LARGE visits ÷ 10,000", 2, False),
    Row("current", "who is inside, LARGE visits ÷ 10,000", 2, False),
    Row("occupancy", "occupancy of a site, LARGE visits ÷ 10,000", 2, False),
]


class SizeStage:
    def __init__(self, ground, rounds, rows, large):
        self.ground, self.rounds, self.rows, self.large = ground, rounds, {row.key: row for row in rows}, large
        for row in rows:
            row.what = row.what.replace("LARGE", f"{large:,}")
        self.remarks = []

    def fill(self):
        for code, visits in (("TINY", 10_000), ("LARGE", self.large)):
            subprocess.run([ROOT / "bench/fill", self.ground.url(), "--tenant", code, "--visits", str(visits), "--quiet"], check=True)

    def let_in_one(self, tenant, site):
        """Somebody of whose name there is one in each tenant."""
        connection = self.ground.connect()
        connection.autocommit = False
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
            cursor.execute("WITH who AS (INSERT INTO relygate.visitors (first_name, last_name, mobile) VALUES ('Zubeida', 'Quartermaine', '9600000001') "
                           "RETURNING id) INSERT INTO relygate.visits (site_id, visitor_id, state, purpose, gate_in_id, badge_no, badge_day) "
                           "SELECT %s, who.id, 'checked_in', 'Reunion', (SELECT g.id FROM relygate.gates g WHERE g.site_id = %s LIMIT 1), '1', current_date "
                           "FROM who", (site, site))
        connection.close()

    def facts(self, code):
        tenant, user, site = self.ground.admin_sql(
            "SELECT t.id::text, u.id::text, s.id::text FROM relygate.tenants t JOIN relygate.users u ON u.tenant_id = t.id AND u.user_name = 'gate_guard_1' "
            "JOIN relygate.sites s ON s.tenant_id = t.id AND s.name = 'Annexe' WHERE t.code = %s", code)[0]
        self.let_in_one(tenant, site)
        return {"tenant": tenant, "user": user, "paths": {
            "list_search": ("/api/visits", "search=zubeida%20quarter&pageSize=20"), "list_common": ("/api/visits", "search=lakshmi%20nai&pageSize=20"),
            "current": ("/api/visits/current", "pageSize=20"),
            "occupancy": (f"/api/sites/{site}/occupancy", "")}}

    def measure(self):
        connection = self.ground.connect(self.ground.shim_url())
        cursor = connection.cursor()
        cursor.execute("PREPARE ask(uuid, uuid, text, text) AS SELECT status, body FROM relygate.handle_request($1, $2, NULL, NULL, 'bench', "
                       "'127.0.0.1', 'GET', $3, $4, '{}', NULL)")
        tenants = {code: self.facts(code) for code in ("TINY", "LARGE")}
        seen = {}
        for key in tenants["TINY"]["paths"]:
            for _ in range(self.rounds):
                spent = {"TINY": [], "LARGE": []}
                for turn in range(20):
                    for code in ("TINY", "LARGE") if turn % 2 else ("LARGE", "TINY"):
                        facts = tenants[code]
                        begun = time.perf_counter()
                        cursor.execute("EXECUTE ask(%s, %s, %s, %s)", (facts["tenant"], facts["user"], *facts["paths"][key]))
                        status, body = cursor.fetchone()
                        spent[code].append(time.perf_counter() - begun)
                        if status != 200:
                            raise SystemExit(f"bench/run: {facts['paths'][key]} answered {status}: {bytes(body).decode()}")
                middle = {code: statistics.median(values) for code, values in spent.items()}
                self.rows[key].add(middle["LARGE"] / middle["TINY"])
                seen[key] = middle
        connection.close()
        self.remarks.append("Milliseconds in the small and in the large tenant, last round: " + ", ".join(
            f"{key.replace('_', ' ')} {1000 * middle['TINY']:.2f} and {1000 * middle['LARGE']:.2f}" for key, middle in seen.items()) + ".")
