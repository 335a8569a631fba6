"""What happens at gates (cases flows and time): each case that this release reaches, step by step over HTTP."""
import collections

import pytest

from conftest import cases
from ground import at_once, ground, quiet, some_mobile, walk_in  # noqa: F401  (fixtures)

STEPS = {}
# The route that a case needs and this release has not: the case begins to pass by itself when it comes.
LATER = {"flows-003": "/api/scan", "flows-014": "/api/scan", "flows-015": "/api/scan", "flows-016": "/api/scan", "flows-017": "/api/sync",
         "flows-018": "/api/sync", "flows-019": "/api/sync", "flows-020": "/api/watchlist", "flows-021": "/api/gate-passes", "flows-022": "/api/otp",
         "time-011": "/api/gate-passes", "time-012": "/api/gate-passes", "time-014": "/api/recurring-passes", "time-015": "/api/sync"}

# No route of its own says that it has come, so nothing here passes by itself: whoever builds it writes the steps.
WITHOUT_STEPS = {"flows-007": "the automatic check-out"}


def steps(*ids):
    def wrap(function):
        STEPS.update(dict.fromkeys(ids, function))
        return function
    return wrap


def reachable(name):
    for parameter in cases(name):
        marks = []
        if parameter.id in LATER:
            marks = [pytest.mark.xfail(strict=True, reason=f"not built yet: {LATER[parameter.id]}")]
        elif parameter.id in WITHOUT_STEPS:
            marks = [pytest.mark.xfail(strict=True, reason=f"not built yet: {WITHOUT_STEPS[parameter.id]}")]
        yield pytest.param(*parameter.values, id=parameter.id, marks=marks)


def take(case, guard, quiet):
    if case["id"] in LATER:
        assert guard.post(LATER[case["id"]]).status != 404, "no such route"
    assert case["id"] in STEPS, "nothing in this release does this"
    STEPS[case["id"]](case, case["expected"], guard, quiet)


def visit_of(guard, visitor, **more):
    return guard.post("/api/visits", {"visitorId": visitor["id"], "purpose": "Meeting", **more})


def out(guard, visit, **body):
    return guard.post(f"/api/visits/{visit['id']}/check-out", body)


def open_visits(ground, visitor):
    return ground.rows("visits", "visitor_id = %s AND state IN ('pending', 'checked_in')", visitor["id"])


@steps("flows-001")
def check_in_twice(case, expected, guard, quiet):
    visitor = quiet.visitor()
    first, second = visit_of(guard, visitor), visit_of(guard, visitor)
    assert [first.status, second.status] == expected["status"], case["why"]
    assert open_visits(quiet, visitor) == expected["open_visits"]
    assert second.data["state"] == expected["second_data"]["state"] and second.data["id"] == first.data["id"], second
    assert second.data["since"] == first.data["checkedInAt"], second


@steps("flows-002")
def fifty_at_once(case, expected, guard, quiet):
    other_gate = quiet.admin.post("/api/gates", {"name": "Back gate"}).data["id"]
    try:
        visitor = quiet.visitor()
        answers = at_once(guard, 50, lambda client, number: visit_of(client, visitor, gateId=(quiet.gate, other_gate)[number % 2]))
    finally:
        quiet.admin.delete(f"/api/gates/{other_gate}")
    statuses = collections.Counter(answer.status for answer in answers)
    assert statuses == {201: expected["successes"], 409: expected["conflicts"]}, case["why"]
    assert open_visits(quiet, visitor) == expected["open_visits"]
    visit = next(answer.data["id"] for answer in answers if answer.status == 201)
    assert {answer.data["id"] for answer in answers} == {visit}, "every loser is told which visit won"
    assert quiet.rows("audit_log", "table_name = 'visits' AND row_id = %s", visit) == expected["audit_rows_for_check_in"]


@steps("flows-004")
def old_visit_out(case, expected, guard, quiet):
    visitor = quiet.visitor()
    first = visit_of(guard, visitor)
    left = out(guard, first.data)
    second = visit_of(guard, visitor)
    again = out(guard, first.data)
    assert [first.status, left.status, second.status, again.status] == expected["status"], case["why"]
    assert guard.get(f"/api/visits/{second.data['id']}").data["state"] == expected["visit2_state"]


@steps("flows-005")
def path_against_body(case, expected, guard, quiet):
    one, other = quiet.visitor(), quiet.visitor()
    visit = visit_of(guard, one).data
    visit_of(guard, other)
    answer = out(guard, visit, visitorId=other["id"])
    assert answer.status in expected["status"] and answer.fields == set(expected["fields"]), answer
    assert open_visits(quiet, one) + open_visits(quiet, other) == expected["open_visits"]


@steps("flows-006")
def re_entry(case, expected, guard, quiet):
    visitor = quiet.visitor()
    first = visit_of(guard, visitor)
    left, second = out(guard, first.data), visit_of(guard, visitor)
    assert [first.status, left.status, second.status] == expected["status"], case["why"]
    assert len(guard.get(f"/api/visitors/{visitor['id']}/visits").data) == expected["visits_today"]


@steps("flows-008")
def group_too_big(case, expected, guard, quiet):
    quiet.set_site(capacity=10)
    assert guard.post("/api/visits", walk_in(groupSize=8)).status == 201
    answer = guard.post("/api/visits", walk_in(groupSize=3))
    assert answer.status in expected["status"] and answer.code == expected["code"], answer
    assert quiet.inside() == expected["occupancy"], case["why"]


@steps("flows-009")
def last_place(case, expected, guard, quiet):
    quiet.set_site(capacity=10)
    assert guard.post("/api/visits", walk_in(groupSize=9)).status == 201
    visitors = [quiet.visitor() for _ in range(20)]
    answers = at_once(guard, 20, lambda client, number: visit_of(client, visitors[number]))
    statuses = collections.Counter(answer.status for answer in answers)
    assert statuses == {201: expected["successes"], 422: expected["refused_422"]}, case["why"]
    assert {answer.code for answer in answers if answer.status == 422} == {expected["code"]}
    assert quiet.inside() == expected["occupancy"]


@steps("flows-010")
def shared_mobile(case, expected, guard, quiet):
    mobile = some_mobile()
    parent = guard.post("/api/visitors", {"firstName": "Asha", "lastName": "Rao", "mobile": mobile})
    child = guard.post("/api/visitors", {"firstName": "Tara", "lastName": "Rao", "mobile": mobile})
    visit = guard.post("/api/visits", {"visitor": {"firstName": "Tara", "lastName": "Rao", "mobile": mobile}, "purpose": "With mother"})
    assert [parent.status, child.status, visit.status] == expected["status"], case["why"]
    assert expected["second_field"] in child.fields and parent.data["id"] in child.raw.decode(), child
    assert visit.data["visitor"]["visitorType"] == "unregistered" and visit.data["visitor"]["id"] != parent.data["id"], visit


@steps("flows-011")
def mobile_reassigned(case, expected, guard, quiet):
    first = quiet.visitor()
    deleted = guard.delete(f"/api/visitors/{first['id']}")
    second = guard.post("/api/visitors", {"firstName": "Wali", "mobile": first["mobile"]})
    back = guard.patch(f"/api/visitors/{first['id']}", {"isActive": True})
    assert [deleted.status, second.status, back.status] == expected["status"], case["why"]
    assert back.data["id"] == second.data["id"] and guard.get(f"/api/visitors/{first['id']}").data["isActive"] is False


@steps("flows-012")
def name_change(case, expected, guard, quiet):
    visitor = quiet.visitor("Asha", lastName="Menon")
    visit_of(guard, visitor)
    assert guard.patch(f"/api/visitors/{visitor['id']}", {"lastName": "Rao"}).status == 200
    visits = guard.get(f"/api/visitors/{visitor['id']}/visits").data
    assert len(visits) == expected["visits"], case["why"]
    assert f"{visits[0]['visitor']['firstName']} {visits[0]['visitor']['lastName']}" == expected["visitor_name"]
    changes = quiet.database.value("SELECT changes::text FROM relygate.audit_log WHERE row_id = %s AND action = 'update' ORDER BY occurred_at DESC LIMIT 1",
                                   visitor["id"])
    assert expected["audit_before"] in changes and expected["audit_after"] in changes, changes


@steps("flows-013")
def delete_inside(case, expected, guard, quiet):
    visitor = quiet.visitor()
    visit = visit_of(guard, visitor)
    answer = guard.delete(f"/api/visitors/{visitor['id']}")
    assert [200, answer.status] == expected["status"], case["why"]
    assert answer.data["id"] == visit.data["id"] and open_visits(quiet, visitor) == expected["open_visits"]


@steps("flows-023")
def some_of_a_group(case, expected, guard, quiet):
    visit = guard.post("/api/visits", walk_in(groupSize=5)).data
    before = quiet.inside()
    left = out(guard, visit, groupSize=2)
    assert left.status == 200 and left.data["state"] == "checked_in", left
    assert [before, quiet.inside()] == expected["occupancy_after"], case["why"]
    assert out(guard, visit, groupSize=4).status == 422
    nowhere = out(guard, visit, groupSize=1, gateId=visit["id"])
    assert nowhere.status == 404 and nowhere.fields == {"gateId"} and quiet.inside() == 3, nowhere
    assert out(guard, visit, groupSize=3).data["state"] == "checked_out" and quiet.inside() == 0
    assert quiet.rows("audit_log", "row_id = %s AND changes::jsonb ? 'group_size' AND action = 'update'", visit["id"]) == 1


# Time: the visits are made through the product, then a DBA moves them to the hours of the case ------------------------

def visit_at(guard, ground, checked_in_at, checked_out_at=None):
    visit = guard.post("/api/visits", walk_in()).data
    if checked_out_at:
        assert out(guard, visit).status == 200
    ground.move(visit["id"], checked_in_at, checked_out_at)
    return visit["id"]


@steps("time-001", "time-002", "time-003", "time-006", "time-007", "time-008")
def days_of_the_site(case, expected, guard, quiet):
    given = case["input"]
    quiet.set_site(timeZone=given["site_tz"])
    made = {moment: visit_at(guard, quiet, moment) for moment in given["check_ins"]}
    day = expected.get("date") or given["date"]
    found = {visit["id"] for visit in guard.get(f"/api/visits?from={day}&to={day}&site={quiet.site}&pageSize=100").data} & set(made.values())
    assert len(found) == expected.get("ins_today", expected.get("total")), case["why"]
    bounds = guard.get(f"/api/visits?from={expected['day_starts']}&to={expected['day_ends']}&pageSize=100").data
    assert {visit["id"] for visit in bounds} & set(made.values()) == found, "an instant as to is exclusive and bounds the same day"


@steps("time-004", "time-005")
def durations(case, expected, guard, quiet):
    visit = guard.get("/api/visits/" + visit_at(guard, quiet, case["input"]["checked_in_at"], case["input"]["checked_out_at"])).data
    assert visit["checkedInAt"] == case["input"]["checked_in_at"] and visit["checkedOutAt"] == case["input"]["checked_out_at"], case["why"]
    minutes = quiet.database.value("SELECT extract(epoch FROM checked_out_at - checked_in_at) / 60 FROM relygate.visits WHERE id = %s", visit["id"])
    assert minutes == expected["minutes"]


@steps("time-009")
def overnight(case, expected, guard, quiet):
    visit = visit_at(guard, quiet, "2026-11-24T17:10:00Z")
    answer = guard.post(f"/api/visits/{visit}/check-out")
    assert answer.status == expected["second_status"], case["why"]
    assert answer.data["checkedInAt"] == "2026-11-24T17:10:00Z"


@steps("time-010")
def forgotten(case, expected, guard, quiet):
    visitor = quiet.visitor()
    visit = visit_of(guard, visitor).data
    quiet.move(visit["id"], "2026-11-23T05:00:00Z")
    assert (visit["id"] in [row["id"] for row in guard.get("/api/visits/current").data]) == expected["current_contains_it"]
    again = visit_of(guard, visitor)
    assert again.status == expected["third_status"], case["why"]
    assert again.data["state"] == expected["state_in_data"] and again.data["since"] == expected["since_in_data"], again


@steps("time-013")
def zone_names(case, expected, guard, quiet):
    for zone, accepted in zip(case["input"]["set_time_zone"], expected["accepted"]):
        answer = quiet.admin.patch(f"/api/sites/{quiet.site}", {"timeZone": zone})
        assert answer.status == (200 if accepted else 400), f"{zone}: {answer}"
        assert accepted or answer.fields == {"timeZone"}, answer


@pytest.mark.parametrize("case", reachable("flows"))
def test_flows(case, guard, quiet):
    take(case, guard, quiet)


@pytest.mark.parametrize("case", reachable("time"))
def test_time(case, guard, quiet):
    take(case, guard, quiet)
