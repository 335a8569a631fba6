"""Visits over HTTP: a walk-in and its ends, what a body may say, races that an index or a lock must decide."""
import collections
import uuid

import pytest

from ground import at_once, ground, quiet, some_mobile, walk_in  # noqa: F401  (fixtures)


def test_a_walk_in_is_created_and_checked_in(guard, quiet):
    mobile = some_mobile()
    answer = guard.post("/api/visits", {"visitor": {"firstName": "Asha", "lastName": "D'Souza", "mobile": mobile[3:]}, "purpose": "Delivery", "groupSize": 2,
                                        "vehicleNo": "ka 03 mh 4821"})
    assert answer.status == 201 and answer.json["responseCode"] == "S", answer
    visit = answer.data
    assert answer.headers["Location"] == f"/api/visits/{visit['id']}"
    assert visit["state"] == "checked_in" and visit["checkedInAt"].endswith("Z") and visit["checkedOutAt"] is None
    assert visit["visitor"]["mobile"] == mobile and visit["visitor"]["lastName"] == "D'Souza" and visit["visitor"]["visitorType"] == "unregistered"
    assert (visit["groupSize"], visit["vehicleNo"], visit["purpose"], visit["gateInId"], visit["siteId"]) == (2, "KA03MH4821", "Delivery", quiet.gate, quiet.site)
    assert visit["host"] is None and visit["unit"] is None and visit["badgeNo"].isdigit()
    assert guard.get(f"/api/visits/{visit['id']}").data == visit
    assert [row["id"] for row in guard.get("/api/visits/current").data] == [visit["id"]]
    assert quiet.inside() == 2


def test_check_out_closes_once(guard, quiet):
    visit = guard.post("/api/visits", walk_in()).data
    done = guard.post(f"/api/visits/{visit['id']}/check-out", {"remark": "Left by the back"})
    assert done.status == 200 and done.data["state"] == "checked_out" and done.data["gateOutId"] == quiet.gate, done
    again = guard.post(f"/api/visits/{visit['id']}/check-out")
    assert again.status == 409 and again.code == "visit_state", again
    assert again.data["id"] == visit["id"] and again.data["state"] == "checked_out", again
    assert guard.get(f"/api/visits/{visit['id']}").data == done.data, "nothing moved"


@pytest.mark.parametrize("action", ["check-in", "check-out", "refuse", "cancel"])
def test_an_unknown_visit_is_not_there(action, guard, south, quiet):
    assert guard.post(f"/api/visits/{uuid.uuid4()}/{action}").status == 404
    assert guard.post(f"/api/visits/nonsense/{action}").status == 400
    mine = guard.post("/api/visits", walk_in()).data
    foreign = south.post(f"/api/visits/{mine['id']}/{action}")
    unknown = south.post(f"/api/visits/{uuid.uuid4()}/{action}")
    assert foreign.status == unknown.status == 404 and foreign.code == unknown.code
    assert foreign.json["responseMessage"] == unknown.json["responseMessage"], "nothing tells that it is another tenant's"
    assert guard.get(f"/api/visits/{mine['id']}").data == mine


def test_where_the_host_is_asked(guard, quiet):
    quiet.set_site(askHost=True)
    visit = guard.post("/api/visits", walk_in(groupSize=3)).data
    assert visit["state"] == "pending" and visit["checkedInAt"] is None and visit["badgeNo"] is None and quiet.inside() == 0
    early = guard.post(f"/api/visits/{visit['id']}/check-out")
    assert early.status == 409 and early.data["state"] == "pending", early
    inside = guard.post(f"/api/visits/{visit['id']}/check-in")
    assert inside.status == 200 and inside.data["state"] == "checked_in" and inside.data["badgeNo"] and quiet.inside() == 3
    refused = guard.post("/api/visits", walk_in()).data
    assert guard.post(f"/api/visits/{refused['id']}/refuse", {"remark": "Nobody expects you"}).data["remark"] == "Nobody expects you"
    cancelled = guard.post("/api/visits", walk_in()).data
    assert guard.post(f"/api/visits/{cancelled['id']}/cancel").data["state"] == "cancelled"
    for ended in (refused, cancelled):
        assert guard.post(f"/api/visits/{ended['id']}/check-in").status == 409


def test_purpose_and_host_of_the_lists(guard, admin, quiet):
    purpose = guard.get("/api/purposes?kind=visit").data[0]
    host = admin.post("/api/hosts", {"kind": "employee", "firstName": "Meera"}).data
    visit = guard.post("/api/visits", {"visitor": {"firstName": "Ravi", "mobile": some_mobile()}, "purposeId": purpose["id"], "hostId": host["id"]}).data
    assert (visit["purposeId"], visit["purpose"], visit["host"]["firstName"]) == (purpose["id"], purpose["name"], "Meera")
    staff = guard.get("/api/purposes?kind=staff").data[0]
    wrong = guard.post("/api/visits", {"visitor": {"firstName": "Ravi", "mobile": some_mobile()}, "purposeId": staff["id"]})
    assert wrong.status == 404 and wrong.fields == {"purposeId"}, wrong


@pytest.mark.parametrize("member", ["hostId", "unitId", "gateId", "siteId", "purposeId", "visitorId"])
def test_what_is_not_there_is_named(member, guard, quiet):
    before = quiet.written()
    body = walk_in()
    if member == "visitorId":
        del body["visitor"]
    if member == "purposeId":
        del body["purpose"]
    answer = guard.post("/api/visits", {**body, member: str(uuid.uuid4())})
    assert answer.status == 404 and answer.fields == {member}, answer
    assert quiet.written() == before, "nor is the inline visitor left behind"


def test_another_tenants_host_is_like_none(guard, south, quiet):
    foreign = south.post("/api/hosts", {"kind": "employee", "firstName": "Omar"}).data["id"]
    answers = [guard.post("/api/visits", {**walk_in(), "hostId": host}) for host in (foreign, str(uuid.uuid4()))]
    assert [(answer.status, answer.code, answer.json["errors"]) for answer in answers][0] == (answers[1].status, answers[1].code, answers[1].json["errors"])
    assert answers[0].status == 404 and guard.post("/api/visits", {**walk_in(), "id": foreign}).fields == {"id"}


def test_a_suspended_tenant_lets_people_out(guard, quiet):
    def set_state(state):
        connection = quiet.database.connect(options=f"-c app.tenant_id={quiet.tenant}")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE relygate.tenants SET state = %s WHERE id = %s", (state, quiet.tenant))
        connection.close()

    visit = guard.post("/api/visits", walk_in()).data
    set_state("suspended")
    try:
        refused = guard.post("/api/visits", walk_in())
        assert refused.status == 423 and refused.code == "tenant_suspended", refused
        assert guard.get("/api/visits/current").data[0]["id"] == visit["id"]
        tried = guard.post("/api/visits/try", walk_in())
        assert tried.status == 200 and [refusal["code"] for refusal in tried.data["refusals"]] == ["tenant_suspended"], tried
        assert guard.post(f"/api/visits/{visit['id']}/check-out").data["state"] == "checked_out"
    finally:
        set_state("active")
    assert guard.post("/api/visits", walk_in()).status == 201


def test_gates_have_a_direction_and_a_site(guard, admin, quiet):
    way_out = admin.post("/api/gates", {"name": "Way out", "direction": "out"}).data["id"]
    other_site = admin.post("/api/sites", {"name": "Annexe"}).data["id"]
    try:
        assert guard.post("/api/visits", {**walk_in(), "gateId": way_out}).code == "gate_direction"
        mixed = guard.post("/api/visits", {**walk_in(), "gateId": quiet.gate, "siteId": other_site})
        assert mixed.status == 422 and mixed.code == "other_site", mixed
        unclear = guard.post("/api/visits", walk_in())
        assert unclear.status == 400 and unclear.fields == {"siteId"}, "with two sites one must be named"
        assert guard.post("/api/visits", {**walk_in(), "gateId": quiet.gate}).status == 201, "a gate names its site"
    finally:
        assert admin.patch(f"/api/sites/{other_site}", {"isActive": False}).status == 200
        assert admin.delete(f"/api/gates/{way_out}").status == 200


def test_try_lists_every_reason_and_writes_nothing(guard, admin, quiet):
    quiet.set_site(capacity=2)
    visitor = quiet.visitor(validUntil="2020-01-01")
    guard.post("/api/visits", walk_in(groupSize=2))
    before = quiet.written()
    answer = guard.post("/api/visits/try", {"visitorId": visitor["id"], "purpose": "Meeting"})
    assert answer.status == 200 and answer.data["mayCheckIn"] is False and answer.data["state"] is None, answer
    assert [refusal["code"] for refusal in answer.data["refusals"]] == ["visitor_expired", "capacity_reached"]
    real = guard.post("/api/visits", {"visitorId": visitor["id"], "purpose": "Meeting"})
    assert real.status == 422 and real.code == answer.data["refusals"][0]["code"], "check-in and dry run agree"
    quiet.set_site(capacity=None)
    stranger = guard.post("/api/visits/try", walk_in())
    assert stranger.data == {"mayCheckIn": True, "state": "checked_in", "visitorId": None, "siteId": quiet.site, "gateId": quiet.gate, "refusals": []}
    assert quiet.rows("visits") == before[0] and quiet.rows("visitors") == before[1]


def test_two_taps_are_one_person(guard, quiet):
    body = walk_in("Tapan")
    answers = at_once(guard, 20, lambda client, number: client.post("/api/visits", body))
    statuses = collections.Counter(answer.status for answer in answers)
    assert statuses == {201: 1, 409: 19}
    assert quiet.rows("visitors", "mobile = %s", body["visitor"]["mobile"]) == 1


def test_the_same_name_in_capitals_is_the_same_person(guard, quiet):
    mobile = some_mobile()
    first = guard.post("/api/visits", {"visitor": {"firstName": "José", "lastName": "Alves", "mobile": mobile}, "purpose": "Tour"}).data
    guard.post(f"/api/visits/{first['id']}/check-out")
    again = guard.post("/api/visits", {"visitor": {"firstName": "JOSE\u0301", "lastName": "alves", "mobile": mobile}, "purpose": "Tour"}).data
    assert again["visitor"]["id"] == first["visitor"]["id"] and again["id"] != first["id"]


def test_a_registered_visitor_is_found_inline(guard, quiet):
    known = quiet.visitor("Uma", lastName="Rao")
    visit = guard.post("/api/visits", {"visitor": {"firstName": "uma", "lastName": "RAO", "mobile": known["mobile"], "email": "uma@example.in"}, "purpose": "Tour"}).data
    assert visit["visitor"]["id"] == known["id"]
    assert guard.get(f"/api/visitors/{known['id']}").data["email"] == "uma@example.in", "what was not known is added"


def test_a_known_document_is_not_overwritten(guard, quiet):
    body = walk_in("Farah")
    body["visitor"].update(documentType="passport", documentNo="K4821907")
    first = guard.post("/api/visits", body).data
    guard.post(f"/api/visits/{first['id']}/check-out")
    assert guard.post("/api/visits/try", body).data["mayCheckIn"]
    body["visitor"]["documentNo"] = "K4821908"
    trial = guard.post("/api/visits/try", body).data
    assert not trial["mayCheckIn"] and [reason["code"] for reason in trial["refusals"]] == ["document_differs"], trial
    other = guard.post("/api/visits", body)
    assert other.status == 409 and other.code == "document_differs" and other.data == {"id": first["visitor"]["id"]}, other
    assert b"K4821908" not in other.raw


def test_badges_of_a_day_are_different(guard, quiet):
    answers = at_once(guard, 30, lambda client, number: client.post("/api/visits", walk_in()))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.data["badgeNo"] for answer in answers}) == 30


def test_check_in_and_deletion_at_once(guard, quiet):
    """A visitor is either inside or deleted, never both."""
    for _ in range(10):
        visitor = quiet.visitor()
        check_in, deletion = at_once(guard, 2, lambda client, number: client.post("/api/visits", {"visitorId": visitor["id"], "purpose": "Race"})
                                     if number == 0 else client.delete(f"/api/visitors/{visitor['id']}"))
        assert sorted([check_in.status, deletion.status]) in ([200, 422], [201, 409]), (check_in, deletion)


def test_pending_visits_take_the_last_place_once(guard, quiet):
    quiet.set_site(askHost=True)
    visits = [guard.post("/api/visits", walk_in()).data["id"] for _ in range(10)]
    quiet.set_site(askHost=False, capacity=3)
    answers = at_once(guard, 10, lambda client, number: client.post(f"/api/visits/{visits[number]}/check-in"))
    assert collections.Counter(answer.status for answer in answers) == {200: 3, 422: 7}
    assert quiet.inside() == 3
    for visit in visits:
        guard.post(f"/api/visits/{visit}/cancel")


def test_the_audit_names_who_and_what(guard, quiet):
    answer = guard.post("/api/visits", walk_in(), headers={"X-Request-Id": "audit-me-1"})
    guard.post(f"/api/visits/{answer.data['id']}/check-out", headers={"X-Request-Id": "audit-me-2"})
    rows = quiet.database.run("SELECT action, request_id, user_id IS NOT NULL, client_address::text, changes FROM relygate.audit_log "
                              "WHERE row_id = %s ORDER BY occurred_at, id", answer.data["id"])
    assert [(row[0], row[1], row[2]) for row in rows] == [("insert", "audit-me-1", True), ("update", "audit-me-2", True)]
    assert all(row[3].startswith("127.0.0.1") for row in rows)
    assert "state" in rows[1][4] and "purpose" not in rows[1][4], "changed columns only"


def test_without_the_permission(tenants, shim, quiet):
    auditor = tenants.client(shim, "north", "auditor")
    assert auditor.get("/api/visits").status == 200
    assert auditor.post("/api/visits", walk_in()).status == 403
    host = tenants.client(shim, "north", "host")
    assert host.get("/api/visits").status == 403
