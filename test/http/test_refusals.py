"""What is wrong is named: every member at once, by its path, with the words or bounds that are right, and nothing is half-written."""
import pytest

from conftest import PASSWORD
from ground import ground, some_mobile, walk_in  # noqa: F401  (fixture)

NOBODY = "01990000-0000-7000-8000-00000000dead"


def test_all_ids_that_lead_nowhere_are_named_at_once(guard, admin, ground):
    before = ground.written()
    ids = {"hostId": NOBODY, "gateId": NOBODY, "unitId": NOBODY, "siteId": NOBODY}
    answer = guard.post("/api/visits", walk_in(**ids))
    assert answer.status == 404 and answer.code == "not_found" and answer.fields == set(ids), answer
    answer = guard.post("/api/visits/try", {"visitorId": NOBODY, "purposeId": NOBODY, "gateId": NOBODY})
    assert answer.status == 404 and answer.fields == {"visitorId", "purposeId", "gateId"}, answer
    body = walk_in(hostId=NOBODY)
    body["visitor"]["categoryId"] = NOBODY
    assert guard.post("/api/visits", body).fields == {"hostId", "visitor.categoryId"}
    assert admin.post("/api/hosts", {"kind": "resident", "firstName": "Asha", "locationId": NOBODY, "userId": NOBODY}).fields == {"locationId", "userId"}
    assert admin.post("/api/visitors", {"firstName": "Asha", "mobile": some_mobile(), "categoryId": NOBODY, "unitId": NOBODY}).fields == {"categoryId", "unitId"}
    assert ground.written() == before


@pytest.mark.parametrize("path,body,fields", [
    ("/api/sites", {"name": "", "capacity": 0, "timeZone": "IST", "askHost": "no"}, {"name", "capacity", "timeZone", "askHost"}),
    ("/api/sites", {"name": "x", "capacity": 1000001}, {"capacity"}),
    ("/api/purposes", {"name": "x", "position": -1, "kind": "fun"}, {"position", "kind"}),
    ("/api/visitor-categories", {"name": "\u202eevil", "position": 2147483648}, {"name", "position"}),
    ("/api/visitors", {"firstName": "Asha", "mobile": "1", "validFrom": "2027-02-02", "validUntil": "2027-02-01"}, {"mobile", "validUntil"})])
def test_all_wrong_values_are_named_at_once(path, body, fields, admin, ground):
    before = ground.written()
    answer = admin.post(path, body)
    assert answer.status == 400 and answer.fields == fields, answer
    assert not any(error["message"] == "value is not valid" for error in answer.json["errors"]), answer
    assert ground.written() == before


def test_a_validity_does_not_end_before_it_begins_in_two_steps_either(admin, ground):
    visitor = ground.visitor(validFrom="2027-02-02")
    answer = admin.patch(f"/api/visitors/{visitor['id']}", {"validUntil": "2027-02-01"})
    assert answer.status == 400 and answer.fields == {"validUntil"} and "before" in answer.json["errors"][0]["message"], answer
    assert admin.patch(f"/api/visitors/{visitor['id']}", {"validUntil": "2027-02-01", "validFrom": None}).status == 200


def test_all_members_that_cannot_be_cleared_are_named_at_once(admin, ground):
    answer = admin.patch(f"/api/gates/{ground.gate}", {"name": None, "direction": None, "isActive": None})
    assert answer.status == 400 and answer.code == "invalid" and answer.fields == {"name", "direction", "isActive"}, answer
    assert admin.patch(f"/api/sites/{ground.site}", {"capacity": None, "timeZone": None, "name": None}).fields == {"name"}


def test_pages_and_sizes_are_named_at_once(guard, ground):
    answer = guard.get("/api/visits?page=0&pageSize=101&sort=x&state=y&cursor=z&colour=red")
    assert answer.status == 400 and answer.fields == {"page", "pageSize", "sort", "state", "cursor", "colour"}, answer


def test_an_id_of_the_path_is_no_member(admin, guard, ground):
    for same in (ground.gate, ground.gate.upper(), NOBODY, 7, None):
        answer = admin.patch(f"/api/gates/{ground.gate}", {"id": same, "name": "Main gate"})
        assert answer.status == 400 and answer.fields == {"id"} and answer.json["errors"][0]["code"] == "unknown", answer
    assert guard.get(f"/api/gates/{ground.gate}?id={ground.gate}").fields == {"id"}


@pytest.mark.parametrize("name", ["Platform_Admin", "platform_admin", " TENANT_ADMIN ", "Host", "\uff41uditor", "ho\u017ft"])
def test_no_role_is_called_like_a_built_in_one(name, admin, ground):
    answer = admin.post("/api/roles", {"name": name, "permissions": ["visits.read"]})
    assert answer.status == 409 and answer.code == "built_in" and answer.fields == {"name"}, answer
    mine = admin.post("/api/roles", {"name": "Watchman", "permissions": ["visits.read"]}).data["id"]
    assert admin.patch(f"/api/roles/{mine}", {"name": name}).code == "built_in"
    assert admin.delete(f"/api/roles/{mine}").status == 200


def test_nobody_changes_his_own_password_without_the_one_of_now(admin, tenants, shim, ground):
    mine = admin.get("/api/auth/userinfo").data["id"]
    answer = admin.patch(f"/api/users/{mine}", {"password": "Other-keeper-7431"})
    assert answer.status == 409 and answer.code == "own_account" and answer.fields == {"password"}, answer
    assert tenants.client(shim, "north", "admin").get("/api/auth/userinfo").status == 200, "the old one is still good"
    other = admin.get("/api/users?search=receptionist").data[0]["id"]
    assert admin.patch(f"/api/users/{other}", {"password": PASSWORD}).status == 200, "another's may be set"


@pytest.mark.parametrize("path,field,known", [("/api/audit?table=nope", "table", "visitors"), ("/api/audit?table=", "table", ""), ("/api/users?role=nope", "role", ""),
                                              ("/api/users?role=", "role", ""), ("/api/visitors?type=vip", "type", "registered"), ("/api/gates?direction=up", "direction", "both")])
def test_an_unknown_word_of_a_filter_is_no_empty_list(path, field, known, admin, ground):
    answer = admin.get(path)
    assert answer.status == 400 and answer.fields == {field} and known in answer.raw.decode(), answer


@pytest.mark.parametrize("key", ["", " ", "\t", "x" * 256])
def test_an_idempotency_key_that_is_none(key, guard, ground):
    before = ground.written()
    answer = guard.post("/api/visits", walk_in(), headers={"Idempotency-Key": key})
    assert answer.status == 400 and answer.code == "idempotency_key", answer
    assert ground.written() == before
