"""Visitors over HTTP: registered once, changed member by member, deleted only outside, seen with their history."""
import collections
import urllib.parse
import uuid

from ground import at_once, ground, quiet, some_mobile, walk_in  # noqa: F401  (fixtures)


def test_register_read_change_delete(guard, quiet):
    mobile = some_mobile()
    made = guard.post("/api/visitors", {"firstName": "Uma", "lastName": "Rao", "mobile": mobile, "email": "uma@Example.IN", "vehicleNo": "ka 03 mh 4821",
                                        "documentType": "aadhaar", "documentNo": "2363 8472 9104", "validFrom": "2026-01-01", "validUntil": "2036-12-31"})
    assert made.status == 201 and made.headers["Location"] == f"/api/visitors/{made.data['id']}", made
    visitor = made.data
    assert (visitor["visitorType"], visitor["email"], visitor["vehicleNo"], visitor["isInside"]) == ("registered", "uma@example.in", "KA03MH4821", False)
    assert visitor["documentMasked"].endswith("9104") and "236384729104" not in made.raw.decode() and visitor["validUntil"] == "2036-12-31"
    assert visitor["registrationNo"].startswith("V-") and len(visitor["securityCode"]) == 6
    assert guard.get(f"/api/visitors/{visitor['id']}").data == visitor
    changed = guard.patch(f"/api/visitors/{visitor['id']}", {"lastName": None, "validUntil": None}).data
    assert changed["lastName"] is None and changed["validUntil"] is None
    kept = {name: value for name, value in changed.items() if name not in ("lastName", "validUntil", "updatedAt")}
    assert kept == {name: visitor[name] for name in kept}, "the others stay"
    assert guard.patch(f"/api/visitors/{visitor['id']}", {"firstName": None}).fields == {"firstName"}
    assert guard.patch(f"/api/visitors/{visitor['id']}", {"mobile": None}).fields == {"mobile"}, "the category asks for it"
    assert guard.patch(f"/api/visitors/{visitor['id']}", {"mobil": None}).fields == {"mobil"}, "a typo is not lost"
    assert guard.patch(f"/api/visitors/{visitor['id']}", {"validFrom": "2027-01-01", "validUntil": "2026-01-01"}).status == 400
    assert guard.patch(f"/api/visitors/{visitor['id']}", {"documentNo": None}).data["documentMasked"] is None
    gone = guard.delete(f"/api/visitors/{visitor['id']}")
    assert gone.status == 200 and gone.data["isActive"] is False, gone
    assert guard.get(f"/api/visitors?mobile=%2B{mobile[1:]}").data == []
    assert guard.get(f"/api/visitors/{visitor['id']}").data["isActive"] is False, "who looks back still finds it"
    assert guard.post("/api/visits", {"visitorId": visitor["id"], "purpose": "Tour"}).code == "visitor_inactive"


def test_dates_are_dates(guard, quiet):
    for wrong in ("tomorrow", "01/02/2027", "2027-02-30", "2027-02-01T10:00:00", "infinity", 20270201):
        answer = guard.post("/api/visitors", {"firstName": "Uma", "mobile": some_mobile(), "validFrom": wrong})
        assert answer.status == 400 and answer.fields == {"validFrom"}, f"{wrong}: {answer}"


def test_another_tenants_visitor_is_not_there(south, quiet):
    mine = quiet.visitor("Nandini", lastName="Gowda")
    for method, path, body in (("GET", "", None), ("GET", "/visits", None), ("GET", "/status", None), ("PATCH", "", {"lastName": "Mine"}), ("DELETE", "", None),
                               ("POST", "/register", {})):
        foreign = south.request(method, f"/api/visitors/{mine['id']}{path}", body)
        unknown = south.request(method, f"/api/visitors/{uuid.uuid4()}{path}", body)
        assert foreign.status == unknown.status == 404 and foreign.json["responseMessage"] == unknown.json["responseMessage"], foreign
    assert south.post("/api/visits", {"visitorId": mine["id"], "purpose": "Tour"}).status == 404
    assert south.get("/api/visitors?search=Nandini").data == []
    assert south.post("/api/visitors", {"firstName": "Nandini", "mobile": mine["mobile"]}).status == 201, "another tenant may know the same mobile"


def test_one_mobile_is_registered_once_at_any_desk(guard, quiet):
    mobile = some_mobile()
    answers = at_once(guard, 20, lambda client, number: client.post("/api/visitors", {"firstName": "Desk", "mobile": mobile}))
    assert collections.Counter(answer.status for answer in answers) == {201: 1, 409: 19}
    winner = next(answer.data["id"] for answer in answers if answer.status == 201)
    for answer in answers:
        if answer.status == 409:
            assert answer.fields == {"mobile"} and answer.data["id"] == winner and answer.json["errors"][0]["code"] == "duplicate", answer


def test_status_follows_the_visitor(guard, quiet):
    visitor = quiet.visitor()
    path = f"/api/visitors/{visitor['id']}/status"
    fresh = guard.get(path).data
    assert fresh == {"id": visitor["id"], "state": "none", "openVisit": None, "mayCheckIn": True, "mayCheckOut": False, "refusals": []}
    visit = guard.post("/api/visits", {"visitorId": visitor["id"], "purpose": "Tour"}).data
    inside = guard.get(path).data
    assert inside["state"] == "checked_in" and inside["openVisit"]["id"] == visit["id"] and inside["mayCheckOut"] and not inside["mayCheckIn"]
    assert [refusal["code"] for refusal in inside["refusals"]] == ["open_visit"]
    assert guard.get(f"/api/visitors/{visitor['id']}").data["isInside"] is True
    guard.post(f"/api/visits/{visit['id']}/check-out")
    left = guard.get(path).data
    assert left["state"] == "checked_out" and left["openVisit"] is None and left["mayCheckIn"]
    guard.delete(f"/api/visitors/{visitor['id']}")
    assert [refusal["code"] for refusal in guard.get(path).data["refusals"]] == ["visitor_inactive"]


def test_search_finds_numbers_too(guard, quiet):
    mobile = some_mobile()
    visitor = quiet.visitor("Numbered", mobile=mobile, vehicleNo="KA 05 MN 7312")
    other = quiet.visitor("Numbered")
    def found(text):
        return [row["id"] for row in guard.get("/api/visitors?search=" + urllib.parse.quote(text)).data]
    for text in (mobile, mobile[3:], f"{mobile[3:8]} {mobile[8:]}", visitor["registrationNo"], visitor["registrationNo"].lower(), "ka05mn7312", "KA-05 MN 7312"):
        assert found(text) == [visitor["id"]], text
    assert found("numbered") == [other["id"], visitor["id"]] and found("Numbered 7") == found("12") == []
    assert found(other["registrationNo"]) == [other["id"]]
    assert guard.get("/api/visitors?search=" + mobile[1:] + "&mobile=" + other["mobile"][3:]).data == []


def test_status_at_a_site_that_is_there(guard, south, quiet):
    visitor = quiet.visitor()
    path = f"/api/visitors/{visitor['id']}/status?siteId="
    assert guard.get(path + quiet.site).data["mayCheckIn"] is True
    for nowhere in (str(uuid.uuid4()), south.get("/api/sites").data[0]["id"], visitor["id"]):
        answer = guard.get(path + nowhere)
        assert answer.status == 404 and answer.code == "not_found" and answer.fields == {"siteId"}, answer
    assert guard.get(path + "here").fields == {"siteId"}


def test_an_unregistered_one_is_registered(guard, quiet):
    visit = guard.post("/api/visits", walk_in("Gopal")).data
    visitor = visit["visitor"]
    assert visitor["visitorType"] == "unregistered" and visitor["registrationNo"] is None
    done = guard.post(f"/api/visitors/{visitor['id']}/register", {"email": "gopal@example.in"})
    assert done.status == 200 and done.data["visitorType"] == "registered" and done.data["registrationNo"] and done.data["email"] == "gopal@example.in", done
    assert [row["id"] for row in guard.get(f"/api/visitors/{visitor['id']}/visits").data] == [visit["id"]], "the history stays"
    again = guard.post(f"/api/visitors/{visitor['id']}/register")
    assert again.status == 409 and again.data["visitorType"] == "registered", again


def test_a_mobile_that_is_taken_says_how_to_go_on(guard, quiet):
    parent = quiet.visitor("Asha")
    child = guard.post("/api/visits", {"visitor": {"firstName": "Tara", "mobile": parent["mobile"]}, "purpose": "With mother"}).data["visitor"]
    answer = guard.post(f"/api/visitors/{child['id']}/register")
    assert answer.status == 409 and answer.fields == {"mobile"} and answer.data["id"] == parent["id"], answer
    moved = guard.patch(f"/api/visitors/{child['id']}", {"mobile": some_mobile()})
    assert moved.status == 200 and guard.post(f"/api/visitors/{child['id']}/register").status == 200
    back = guard.patch(f"/api/visitors/{child['id']}", {"mobile": parent["mobile"]})
    assert back.status == 409 and back.fields == {"mobile"}, back


def test_a_category_may_waive_the_mobile(guard, admin, quiet):
    waives = admin.post("/api/visitor-categories", {"name": "Toddler", "asksMobile": False}).data["id"]
    assert guard.post("/api/visitors", {"firstName": "Tara"}).fields == {"mobile"}
    assert guard.post("/api/visitors", {"firstName": "Tara", "categoryId": waives}).status == 201
    assert guard.post("/api/visits", {"visitor": {"firstName": "Tara"}, "purpose": "Tour"}).fields == {"visitor.mobile"}
    assert guard.post("/api/visits", {"visitor": {"firstName": "Tara", "categoryId": waives}, "purpose": "Tour"}).status == 201
    unknown = guard.post("/api/visitors", {"firstName": "Tara", "mobile": some_mobile(), "categoryId": str(uuid.uuid4())})
    assert unknown.status == 404 and unknown.fields == {"categoryId"}, unknown
