"""Lists over HTTP: pages say how many there are, cursors walk through all once, filters mean what they say."""
import base64
import urllib.parse

import pytest

from ground import ground, some_mobile, walk_in  # noqa: F401  (fixture)

COUNT = 57


@pytest.fixture(scope="module")
def many(guard, ground):
    """Visits of so many persons, every third one ended."""
    visits = []
    for number in range(COUNT):
        visit = guard.post("/api/visits", walk_in("Anil" if number % 2 else "Bela", purpose="Tour")).data
        if number % 3 == 0:
            visit = guard.post(f"/api/visits/{visit['id']}/check-out").data
        visits.append(visit)
    return visits


def walk(client, path, size):
    """All rows by cursor, and how many requests it took."""
    rows, cursor, asked = [], "", 0
    while cursor is not None:
        answer = client.get(f"{path}{'&' if '?' in path else '?'}pageSize={size}{cursor}")
        assert answer.status == 200, answer
        rows += answer.data
        following = answer.json["pagination"].get("nextCursor")
        cursor = following and "&cursor=" + urllib.parse.quote(following)
        asked += 1
        assert asked < 200
    return rows, asked


def test_pages_count(guard, many):
    first = guard.get("/api/visits?pageSize=20&page=1")
    pagination = first.json["pagination"]
    assert pagination["page"] == 1 and pagination["pageSize"] == 20 and pagination["totalItems"] == len(many) and pagination["totalIsExact"] is True, first
    pages = [guard.get(f"/api/visits?pageSize=20&page={page}").data for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [20, 20, len(many) - 40, 0]
    assert len({visit["id"] for page in pages for visit in page}) == len(many)
    assert guard.get("/api/visits?page=4&pageSize=20").json["pagination"]["totalItems"] == len(many), "beyond the end too"


@pytest.mark.parametrize("size", [1, 7, 19, 57, 100])
def test_cursors_see_each_row_once(size, guard, many):
    rows, asked = walk(guard, "/api/visits", size)
    assert [row["id"] for row in rows] == [visit["id"] for visit in reversed(many)], "the latest first"
    assert asked == -(-len(many) // size)


def test_a_cursor_stays_in_its_place_while_others_come(guard, many):
    first = guard.get("/api/visits?pageSize=10")
    guard.post(f"/api/visits/{guard.post('/api/visits', walk_in('Late')).data['id']}/check-out")
    second = guard.get("/api/visits?pageSize=10&cursor=" + urllib.parse.quote(first.json["pagination"]["nextCursor"]))
    assert [row["id"] for row in second.data] == [visit["id"] for visit in reversed(many)][10:20]
    assert "totalItems" not in second.json["pagination"]
    many.append(guard.get("/api/visits?search=Late").data[0])  # the other tests count it


@pytest.mark.parametrize("query,field", [("cursor=nonsense", "cursor"), ("pageSize=0", "pageSize"), ("pageSize=101", "pageSize"), ("page=0", "page"),
                                         ("page=x", "page"), ("state=inside", "state"), ("from=tomorrow", "from"), ("to=2026-02-30", "to"),
                                         ("from=2026-11-25T10:00:00", "from"), ("site=x", "site"), ("colour=red", "colour"), ("vehicle=%F0%9F%9A%97", "vehicle"),
                                         ("search=" + "x" * 201, "search")])
def test_a_wrong_query_is_named(query, field, guard, many):
    answer = guard.get("/api/visits?" + query)
    assert answer.status == 400 and answer.fields == {field}, answer


def test_filters(guard, ground, many):
    def found(query):
        return {row["id"] for row in walk(guard, "/api/visits?" + query, 100)[0]}

    ended = {visit["id"] for visit in many if visit["state"] == "checked_out"}
    everything = {visit["id"] for visit in many}
    assert found("state=checked_out") == ended
    assert found("state=checked_in") == everything - ended == {row["id"] for row in walk(guard, "/api/visits/current", 100)[0]}
    assert found("search=BELA") == {visit["id"] for visit in many if visit["visitor"]["firstName"] == "Bela"}
    assert found("visitor=" + many[0]["visitor"]["id"]) == {many[0]["id"]}
    assert found("site=" + ground.site) == found("gate=" + ground.gate) == everything
    assert found("host=" + many[0]["id"]) == found("unit=" + many[0]["id"]) == found("purpose=" + many[0]["id"]) == set()
    assert found("state=checked_in&search=anil&site=" + ground.site) <= everything - ended
    middle = many[20]["requestedAt"]
    before, after = found("to=" + middle), found("from=" + middle)
    assert before == {visit["id"] for visit in many[:20]} and after == everything - before, "from is inclusive, an instant as to exclusive"


def test_visitors_by_page_and_cursor(guard, many):
    total = guard.get("/api/visitors?page=1").json["pagination"]["totalItems"]
    rows, _ = walk(guard, "/api/visitors", 10)
    assert len(rows) == len({row["id"] for row in rows}) == total
    inside = {row["id"] for row in walk(guard, "/api/visitors?inside=true", 100)[0]}
    assert inside == {visit["visitor"]["id"] for visit in many if visit["state"] == "checked_in"}
    outside = {row["id"] for row in walk(guard, "/api/visitors?inside=false", 100)[0]}
    assert not inside & outside and len(inside | outside) == total
    assert walk(guard, "/api/visitors?type=registered", 100)[0] == []


def test_small_lists_have_cursors_too(guard, admin, ground):
    for path in ("/api/purposes", "/api/visitor-categories", "/api/gates", "/api/sites"):
        total = guard.get(path + "?page=1").json["pagination"]["totalItems"]
        rows, _ = walk(guard, path, 3)
        assert len(rows) == len({row["id"] for row in rows}) == total, path


def test_a_cursor_of_another_list_is_refused(guard, many):
    cursor = guard.get("/api/visitors?pageSize=1").json["pagination"]["nextCursor"]
    answer = guard.get("/api/visits?cursor=" + urllib.parse.quote(cursor))
    assert answer.status == 400 and answer.fields == {"cursor"}, answer


def test_another_tenant_sees_nothing_of_it(south, many):
    for path in ("/api/visits", "/api/visits/current", "/api/visitors?search=Bela", "/api/visitors?mobile=%2B" + many[0]["visitor"]["mobile"][1:]):
        answer = south.get(path)
        assert answer.status == 200 and answer.data == [], answer


@pytest.mark.parametrize("path,member,size", [("/api/visits", "requestedAt", 10), ("/api/visits", "checkedInAt", 7), ("/api/visits", "checkedOutAt", 9),
                                              ("/api/visitors", "createdAt", 10), ("/api/purposes", "name", 4), ("/api/roles", "name", 2), ("/api/users", "userName", 2)])
def test_a_list_is_sorted_both_ways_and_cursors_keep_to_it(path, member, size, admin, many):
    up, _ = walk(admin, f"{path}?sort={member}", size)
    down, _ = walk(admin, f"{path}?sort=-{member}", size)
    assert [row["id"] for row in up] == [row["id"] for row in reversed(down)] and len(up) == admin.get(path).json["pagination"]["totalItems"]
    there = [row[member] for row in up if row[member] is not None]
    assert there == sorted(there, key=str.lower) and [row[member] for row in up][:len(there)] == there, "what has no time is the latest"


def test_visitors_by_name(guard, many):
    names = [f"{row['firstName']} {row['lastName'] or ''}".strip().lower() for row in walk(guard, "/api/visitors?sort=name", 9)[0]]
    assert names == sorted(names) and "anil" in names


@pytest.mark.parametrize("path,words", [("/api/visits", "requestedAt, checkedInAt, checkedOutAt."), ("/api/visits/current", "requestedAt"), ("/api/visitors", "name, createdAt."),
                                        ("/api/hosts", "firstName"), ("/api/gates", "name"), ("/api/sites", "name"), ("/api/locations", "name"), ("/api/users", "userName"),
                                        ("/api/roles", "name"), ("/api/purposes", "position"), ("/api/visitor-categories", "position")])
def test_an_unknown_sort_is_refused_with_the_words_that_are_known(path, words, admin, many):
    for wrong in ("colour", "", "-", "--" + words.split(",")[0], "id;DROP%20TABLE%20x", "%F0%9F%9A%97"):
        answer = admin.get(f"{path}?sort={wrong}")
        assert answer.status == 400 and answer.fields == {"sort"} and words in answer.json["errors"][0]["message"], answer


def cursor_of(key, sort="-requestedAt", like=None):
    """A cursor that somebody made up, with the seal of a real one."""
    real = base64.urlsafe_b64decode(like + "=" * (-len(like) % 4))
    return base64.urlsafe_b64encode(real[:8] + "\0".join([sort, *key]).encode()).decode().rstrip("=")


def test_a_cursor_is_of_one_sort_and_holds_nothing_made_up(guard, many):
    real = guard.get("/api/visits?pageSize=1").json["pagination"]["nextCursor"]
    some_id = many[0]["id"]
    assert guard.get("/api/visits?sort=-requestedAt&cursor=" + real).status == 200, "the default sort by its name"
    assert guard.get("/api/visits?cursor=" + cursor_of(["2026-11-25T10:00:00Z", some_id], like=real)).status == 200
    for path in ["sort=requestedAt&cursor=" + real, "cursor=" + real + "&page=1"] + ["cursor=" + cursor_of(key, sort, like=real) for key, sort in [
            (["now", some_id], "-requestedAt"), (["infinity", some_id], "-requestedAt"), (["2026-11-25T10:00:00", some_id], "checkedInAt"),
            (["2026-11-25T10:00:00Z", "x"], "-requestedAt"), (["2026-11-25T10:00:00Z"], "-requestedAt"), ([some_id], "-requestedAt"), ([], "-requestedAt"),
            (["2026-11-25T10:00:00Z", some_id], "name"), (["2026-11-25T10:00:00Z", some_id], ""), (["2026-11-25T10:00:00Z", some_id, some_id], "-requestedAt")]]:
        answer = guard.get("/api/visits?" + path)
        assert answer.status == 400 and answer.fields == {"cursor"}, (path, answer)
