"""A large tenant beside a small one: what is read for a page depends on the page, not on the tenant. Counted in rows, not in
seconds; both orders, since plans made for one tenant serve the other."""
import subprocess
import urllib.parse

import pytest

from conftest import ROOT

ASK = ("SELECT status, convert_from(body, 'UTF8')::json FROM relygate.handle_request(%s, %s, NULL, NULL, 'r', '127.0.0.1', 'GET', %s, %s, '{}', NULL)")
READ = ("SELECT coalesce(sum(seq_scan) FILTER (WHERE relname IN ('visits', 'visitors')), 0)::int, "
        "coalesce(sum(idx_tup_fetch) FILTER (WHERE relname IN ('visits', 'visitors')), 0)::int FROM pg_stat_xact_user_tables")
# Path, query, and how many rows of visits and visitors may be read at most. Counting goes to 10,001 rows.
PAGES = [
    ("/api/visits", "", 400), ("/api/visits", "page=2", 400), ("/api/visits", "sort=requestedAt", 400), ("/api/visits", "sort=-checkedInAt", 400),
    ("/api/visits", "state=refused", 5000), ("/api/visits", "state=checked_out&page=1", 25_000), ("/api/visits", "gate={gate}&page=1", 50_000),
    ("/api/visits", "site={site}&page=1", 400), ("/api/visits", "host={host}&page=1", 1000), ("/api/visits", "visitor={visitor}&page=1", 1000),
    ("/api/visits", "from=2026-01-05&to=2026-01-05", 1000), ("/api/visits", "search=nobody%20has%20this%20name", 10),
    ("/api/visits", "search=lakshmi", 6000), ("/api/visits", "search=lakshmi%20nair&page=1", 1000), ("/api/visits/current", "page=1", 1000),
    ("/api/visits/current", "search=lakshmi", 6000), ("/api/sites/{site}/occupancy", "", 10), ("/api/visitors", "page=1", 25_000),
    ("/api/visitors", "search=lakshmi%20nair", 1000), ("/api/visitors/{visitor}/visits", "page=1", 1000),
    # What few have, in the order of the list; of few days, in another order; what is behind all that never came in.
    ("/api/visitors", "mobile={mobile}", 50), ("/api/visitors", "vehicle={vehicle}", 50), ("/api/visitors", "search={mobile}", 50),
    ("/api/visitors", "search=xq", 10), ("/api/visitors", "inside=true", 300), ("/api/visitors", "isActive=false", 10),
    ("/api/visits", "site={quiet}&state=refused", 10), ("/api/visits", "site={quiet}&sort=-checkedInAt", 500),
    ("/api/visits", "from=2025-11-15&to=2025-12-15&sort=checkedOutAt", 7000), ("/api/visits", "from=2026-01-05&to=2026-01-05&search=a", 1000),
]
# What a reporting tool asks, and how many rows of visits and visitors may be read at most where the tenant has 500 visits.
MONTH = "requested_at >= '2026-01-01 00:00+05:30' AND requested_at < '2026-02-01 00:00+05:30'"
REPORTS = [
    (f"SELECT requested_on, site_name, count(*) FROM relygate_report.visits WHERE {MONTH} GROUP BY 1, 2", 100),
    (f"SELECT visitor_id, visitor_last_name, count(*) FROM relygate_report.visits WHERE {MONTH} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20", 200),
    (f"SELECT site_name, avg(duration_minutes), sum(people) FROM relygate_report.visits WHERE {MONTH} GROUP BY 1", 100),
    ("SELECT * FROM relygate_report.visits WHERE state = 'checked_in'", 50), ("SELECT * FROM relygate_report.occupancy", 50),
    ("SELECT * FROM relygate_report.visits WHERE host_id = '{host}' ORDER BY requested_at DESC LIMIT 100", 1000),
    ("SELECT site_name, count(*) FROM relygate_report.visits WHERE checked_in_on BETWEEN '2026-01-01' AND '2026-01-31' GROUP BY 1", 600),
    ("SELECT date_trunc('month', requested_on), count(*) FROM relygate_report.visits GROUP BY 1", 600),
    ("SELECT * FROM relygate_report.visits LIMIT 100", 700), ("SELECT category, count(*) FROM relygate_report.visitors GROUP BY 1", 100),
]


@pytest.fixture(scope="module")
def filled(database):
    # The small one's rows lie in the middle: a scan of the table would meet the others' first.
    for code, visits in (("LARGE", 50_000), ("SMALL", 500), ("OTHER", 100_000)):
        subprocess.run([ROOT / "bench/fill", database.url(), "--tenant", code, "--visits", str(visits), "--until", "2026-11-01T12:00:00+00:00",
                        "--quiet"], check=True)
    return database


def facts(database, code):
    names = ("tenant", "user", "site", "host", "visitor", "gate", "mobile", "vehicle", "quiet")
    return dict(zip(names, database.run(
        "SELECT v.tenant_id::text, u.id::text, v.site_id::text, v.host_id::text, v.visitor_id::text, v.gate_in_id::text, "
        "replace(p.mobile, '+', '%%2B'), p.vehicle_no::text, (SELECT s.id::text FROM relygate.sites s WHERE s.tenant_id = v.tenant_id "
        "AND NOT s.ask_host LIMIT 1) FROM relygate.visits v JOIN relygate.visitors p ON p.tenant_id = v.tenant_id AND p.id = v.visitor_id "
        "JOIN relygate.users u ON u.tenant_id = v.tenant_id AND u.user_name = 'gate_guard_1' WHERE v.tenant_id = relygate.find_tenant(%s) "
        "AND v.host_id IS NOT NULL AND v.gate_in_id IS NOT NULL AND p.vehicle_no IS NOT NULL ORDER BY v.requested_at LIMIT 1", code)[0]))


@pytest.mark.parametrize("order", [("LARGE", "SMALL"), ("SMALL", "LARGE")], ids=" then ".join)
def test_no_page_walks_through_a_tenant(filled, order):
    known = {code: facts(filled, code) for code in order}
    connection = filled.connect("relygate_shim", autocommit=False)
    cursor = connection.cursor()
    too_many = []
    for path, query, most in PAGES:
        for code in order:
            mine = known[code]
            cursor.execute(READ)
            before = cursor.fetchone()
            cursor.execute(ASK, (mine["tenant"], mine["user"], path.format(**mine), query.format(**mine)))
            status, answer = cursor.fetchone()
            assert status == 200, answer
            cursor.execute(READ)
            scans, rows = (now - then for now, then in zip(cursor.fetchone(), before))
            connection.commit()
            if scans or rows > most:
                too_many.append((code, path, query, scans, rows))
    connection.close()
    assert not too_many, "\n".join(map(str, too_many))


def test_a_report_of_a_small_tenant_reads_the_small_tenant(filled):
    """By index, whatever the planner thinks of a tenant it is not told: bind_role sees to it."""
    login = f"report_{filled.name}"
    filled.run(f"CREATE ROLE {login} LOGIN")
    filled.run("SELECT relygate.bind_role(%s, relygate.find_tenant('SMALL'))", login)
    mine = facts(filled, "SMALL")
    connection = filled.connect(login, autocommit=False)
    cursor = connection.cursor()
    # What parallel workers read is not counted. To compile a plan takes longer than to run one of these.
    cursor.execute("SELECT set_config('max_parallel_workers_per_gather', '0', false), current_setting('jit')")
    compiles = cursor.fetchone()[1]
    too_many = []
    for query, most in REPORTS:
        cursor.execute(READ)
        before = cursor.fetchone()
        cursor.execute(query.format(**mine))
        assert cursor.fetchall()
        cursor.execute(READ)
        scans, rows = (now - then for now, then in zip(cursor.fetchone(), before))
        connection.commit()
        if scans or rows > most:
            too_many.append((query, scans, rows))
    connection.close()
    filled.run("SELECT relygate.unbind_role(%s)", login)
    assert filled.value("SELECT count(*) FROM pg_db_role_setting WHERE setrole = %s::regrole", login) == 0
    filled.run(f"DROP ROLE {login}")
    assert (too_many, compiles) == ([], "off")


def test_a_search_answers_what_a_walk_would(filled):
    """The three ways to search (few people, many, counting) against the plain query."""
    for code in ("LARGE", "SMALL"):
        mine = facts(filled, code)
        for name in ("lakshmi", "a", "nair", "lakshmi nair", "nobody"):
            cursor = filled.connect("relygate_shim", autocommit=False).cursor()
            cursor.execute(ASK, (mine["tenant"], mine["user"], "/api/visits", f"search={name.replace(' ', '%20')}&pageSize=50&page=2"))
            status, answer = cursor.fetchone()
            assert status == 200, answer
            expected = filled.run(
                "SELECT v.id::text FROM relygate.visits v JOIN relygate.visitors p ON p.tenant_id = v.tenant_id AND p.id = v.visitor_id WHERE "
                "v.tenant_id = %s AND position(%s IN p.search_name) > 0 ORDER BY v.requested_at DESC, v.id DESC", mine["tenant"], name)
            assert [row["id"] for row in answer["data"]] == [row[0] for row in expected[50:100]]
            assert answer["pagination"]["totalItems"] == min(len(expected), 10_000)
            assert answer["pagination"]["totalIsExact"] is (len(expected) <= 10_000)
            cursor.connection.close()


# Path, query, and which rows in which order that is, by the plain way.
JANUARY = "v.requested_at >= '2026-01-01 00:00+05:30' AND v.requested_at < '2026-02-01 00:00+05:30'"
BY_CHECK_IN = "coalesce(v.checked_in_at, 'infinity') DESC, v.id DESC"
INSIDE = "EXISTS (SELECT FROM relygate.visits i WHERE i.tenant_id = p.tenant_id AND i.visitor_id = p.id AND i.state = 'checked_in')"
ANSWERS = [
    ("/api/visits", "site={quiet}&sort=-checkedInAt", "v.site_id = '{quiet}'", BY_CHECK_IN),
    ("/api/visits", "site={asking}&sort=-checkedInAt", "v.site_id = '{asking}'", BY_CHECK_IN),
    ("/api/visits", "gate={gate}&sort=-checkedInAt", "'{gate}' IN (v.gate_in_id, v.gate_out_id)", BY_CHECK_IN),
    ("/api/visits", "state=refused&sort=-checkedInAt", "v.state = 'refused'", BY_CHECK_IN),
    ("/api/visits", "state=checked_in&sort=-checkedInAt", "v.state = 'checked_in'", BY_CHECK_IN),
    ("/api/visits", "state=checked_in&sort=-checkedOutAt", "v.state = 'checked_in'", "v.id DESC"),
    ("/api/visits", "state=checked_out&sort=-checkedOutAt", "v.state = 'checked_out'", "v.checked_out_at DESC, v.id DESC"),
    ("/api/visits", "from=2026-01-01&to=2026-01-31&sort=-checkedInAt", JANUARY, BY_CHECK_IN),
    ("/api/visits", "from=2026-01-01&to=2026-01-31&sort=checkedOutAt", JANUARY, "coalesce(v.checked_out_at, 'infinity'), v.id"),
    ("/api/visits", "from=2026-01-01&to=2026-01-31&search=a", f"{JANUARY} AND p.search_name LIKE '%%a%%'", "v.requested_at DESC, v.id DESC"),
    ("/api/visits", "site={quiet}&search=a", "v.site_id = '{quiet}' AND p.search_name LIKE '%%a%%'", "v.requested_at DESC, v.id DESC"),
    ("/api/visitors", "search=a", "p.search_name LIKE '%%a%%'", "p.created_at DESC, p.id DESC"),
    ("/api/visitors", "search=a&sort=name", "p.search_name LIKE '%%a%%'", "p.search_name, p.id"),
    ("/api/visitors", "search=xq", "false", "p.id"),
    ("/api/visitors", "search=lakshmi&sort=-name", "p.search_name LIKE '%%lakshmi%%'", "p.search_name DESC, p.id DESC"),
    ("/api/visitors", "inside=true", INSIDE, "p.created_at DESC, p.id DESC"),
    ("/api/visitors", "inside=true&search=a&sort=createdAt", f"{INSIDE} AND p.search_name LIKE '%%a%%'", "p.created_at, p.id"),
    ("/api/visitors", "inside=false&search=lakshmi", f"NOT {INSIDE} AND p.search_name LIKE '%%lakshmi%%'", "p.created_at DESC, p.id DESC"),
    ("/api/visitors", "mobile={mobile}", "p.mobile = '{number}'", "p.created_at DESC, p.id DESC"),
]


@pytest.mark.parametrize("code", ["OTHER", "SMALL"])
def test_a_list_answers_what_a_walk_would(filled, code):
    """Whichever way a filter is answered: known first, sorted, or met in the order. The second page, then what follows it by cursor."""
    mine = facts(filled, code)
    mine["number"] = mine["mobile"].replace("%2B", "+")
    mine["asking"] = filled.value("SELECT id::text FROM relygate.sites WHERE tenant_id = %s AND ask_host LIMIT 1", mine["tenant"])
    connection = filled.connect("relygate_shim", autocommit=False)
    cursor = connection.cursor()
    for path, query, condition, order in ANSWERS:
        if "asking" in query and mine["asking"] is None:
            continue
        rows = "visits v JOIN relygate.visitors p ON p.tenant_id = v.tenant_id AND p.id = v.visitor_id" if path == "/api/visits" else "visitors p"
        letter = "v" if path == "/api/visits" else "p"
        expected = [row[0] for row in filled.run(f"SELECT {letter}.id::text FROM relygate.{rows} WHERE {letter}.tenant_id = %s AND "
                                                 f"{condition.format(**mine)} ORDER BY {order}", mine["tenant"])]
        cursor.execute(ASK, (mine["tenant"], mine["user"], path, f"{query.format(**mine)}&pageSize=15&page=2"))
        status, answer = cursor.fetchone()
        assert status == 200, answer
        connection.commit()
        assert answer["pagination"]["totalItems"] == min(len(expected), 10_000), (path, query)
        assert [row["id"] for row in answer["data"]] == expected[15:30], (path, query)
        if len(expected) > 30:
            after = urllib.parse.quote(answer["pagination"]["nextCursor"])
            cursor.execute(ASK, (mine["tenant"], mine["user"], path, f"{query.format(**mine)}&pageSize=15&cursor={after}"))
            status, answer = cursor.fetchone()
            assert status == 200, answer
            connection.commit()
            assert [row["id"] for row in answer["data"]] == expected[30:45], (path, query)
    connection.close()
