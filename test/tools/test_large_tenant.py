"""A large tenant beside a small one: what is read for a page depends on the page, not on the tenant. Counted in rows, not in
seconds; both orders, since plans made for one tenant serve the other."""
import subprocess

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
]


@pytest.fixture(scope="module")
def filled(database):
    # The small one's rows lie in the middle: a scan of the table would meet the others' first.
    for code, visits in (("LARGE", 50_000), ("SMALL", 500), ("OTHER", 20_000)):
        subprocess.run([ROOT / "bench/fill", database.url(), "--tenant", code, "--visits", str(visits), "--until", "2026-11-01T12:00:00+00:00",
                        "--quiet"], check=True)
    return database


def facts(database, code):
    names = ("tenant", "user", "site", "host", "visitor", "gate")
    return dict(zip(names, database.run(
        "SELECT v.tenant_id::text, u.id::text, v.site_id::text, v.host_id::text, v.visitor_id::text, v.gate_in_id::text FROM relygate.visits v "
        "JOIN relygate.users u ON u.tenant_id = v.tenant_id AND u.user_name = 'gate_guard_1' WHERE v.tenant_id = relygate.find_tenant(%s) "
        "AND v.host_id IS NOT NULL AND v.gate_in_id IS NOT NULL ORDER BY v.requested_at LIMIT 1", code)[0]))


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
    assert too_many == []


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
