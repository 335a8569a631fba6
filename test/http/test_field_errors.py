"""All wrong members of a request are named at once: those that they alone show, and those that only the database knows."""
import secrets

import pytest

from conftest import PASSWORD
from ground import ground, quiet, some_mobile  # noqa: F401  (fixtures)


def refused(answer, *fields):
    assert answer.status == 400 and answer.code == "invalid", answer
    assert answer.fields == set(fields) and len(answer.json["errors"]) == len(fields), answer
    return {error["field"]: error["code"] for error in answer.json["errors"]}


@pytest.mark.parametrize("path", ["/api/visits", "/api/visits/try"])
def test_a_walk_in(path, guard, quiet):
    before = quiet.written()
    def ask(**body):
        return guard.post(path, {"purpose": "Tour", **body})
    assert refused(ask(visitor={"firstName": "Q"}, groupSize=0), "visitor.mobile", "groupSize") == {"visitor.mobile": "required", "groupSize": "range"}
    refused(ask(visitor={"firstName": "", "documentNo": "2363 8472 9104"}), "visitor.firstName", "visitor.mobile", "visitor.documentType")
    refused(ask(visitor={"firstName": "Q", "mobile": "1"}, remark=""), "visitor.mobile", "remark")
    refused(ask(visitor={"firstName": "Q", "mobil": some_mobile()}), "visitor.mobil", "visitor.mobile")
    refused(ask(visitor={"firstName": "Q", "documentType": "passport"}), "visitor.mobile", "visitor.documentNo")
    refused(ask(visitor={"firstName": "Q"}, visitorId=quiet.visitor()["id"], groupSize=0), "visitorId", "groupSize")
    refused(ask(visitor=None, groupSize=0), "visitor", "groupSize")
    if path == "/api/visits":
        refused(guard.post(path, {"visitor": {"firstName": "Q"}}), "purpose", "visitor.mobile")
    alone = ask(visitor={"firstName": "Q"})
    assert alone.status == 400 and alone.code == "required" and alone.fields == {"visitor.mobile"}, alone
    references = ask(visitor={"firstName": "Q", "mobile": some_mobile()}, gateId=quiet.site, unitId=quiet.site)
    assert references.status == 404 and references.fields == {"gateId", "unitId"}, references
    first = ask(visitor={"firstName": "Q"}, unitId=quiet.site)
    assert first.status == 400 and first.fields == {"visitor.mobile"}, "members come before what they refer to"
    assert quiet.written()[0] == before[0] and quiet.rows("visitors", "first_name = 'Q'") == 0


def test_a_wrong_id_is_no_ground_for_guesses(admin, guard, quiet):
    waived = admin.post("/api/visitor-categories", {"name": "Children " + secrets.token_hex(3), "asksMobile": False}).data["id"]
    body = {"visitor": {"firstName": "Q", "categoryId": "mine"}, "purpose": "Tour"}
    refused(guard.post("/api/visits", body), "visitor.categoryId")
    body["visitor"]["categoryId"] = quiet.site
    unknown = guard.post("/api/visits", body)
    assert unknown.status == 404 and unknown.fields == {"visitor.categoryId"}, unknown
    body["visitor"]["categoryId"] = waived
    assert guard.post("/api/visits", body).status == 201


@pytest.mark.parametrize("size", [0, 1001, -1, 99999999999, 10**30, -10**30])
def test_bounds_are_those_that_count(size, guard, quiet):
    answer = guard.post("/api/visits", {"visitor": {"firstName": "Q", "mobile": some_mobile()}, "purpose": "Tour", "groupSize": size})
    assert refused(answer, "groupSize") == {"groupSize": "range"}
    assert "The least is 1, the most is 1000" in answer.json["errors"][0]["message"], answer


def test_a_visitor(guard, quiet):
    answer = guard.post("/api/visitors", {"firstName": "Q", "mobile": some_mobile(), "validFrom": "2026-02-01", "validUntil": "2026-01-01",
                                          "documentNo": "2363 8472 9104", "unitId": quiet.site})
    refused(answer, "validUntil", "documentType")
    refused(guard.post("/api/visitors", {"firstName": "Q", "documentNo": "1", "email": "none"}), "email", "documentType", "mobile")
    visitor = quiet.visitor(validUntil="2026-12-31")
    path = "/api/visitors/" + visitor["id"]
    refused(guard.patch(path, {"firstName": None, "isActive": None, "mobile": "1"}), "firstName", "isActive", "mobile")
    refused(guard.patch(path, {"mobile": None, "validFrom": "2027-01-01", "documentNo": "2363 8472 9104"}), "mobile", "validUntil", "documentType")
    refused(guard.patch(path, {"isActive": None, "validFrom": "2027-01-01"}), "isActive", "validUntil")
    assert {**guard.get(path).data, "securityCode": None} == {**visitor, "securityCode": None}


def test_a_user(admin):
    name = "u" + secrets.token_hex(4)
    refused(admin.post("/api/users", {"userName": name, "password": "Password1!", "role": "emperor"}), "password", "role")
    refused(admin.post("/api/users", {"userName": "Gate-keeper-7431", "password": "gate-keeper-7431", "role": "emperor"}), "password", "role")
    user = admin.post("/api/users", {"userName": name, "password": PASSWORD, "role": "host"}).data
    refused(admin.patch("/api/users/" + user["id"], {"password": "weak", "role": "emperor", "email": "x"}), "password", "role", "email")
    assert admin.get("/api/users/" + user["id"]).data == user


def test_a_site_is_needed_beside_other_members(admin, guard, quiet):
    other = admin.post("/api/sites", {"name": "Annexe " + secrets.token_hex(3)}).data
    refused(admin.post("/api/gates", {"direction": "up"}), "name", "direction", "siteId")
    refused(admin.post("/api/locations", {"name": "A", "kind": "tent"}), "kind", "siteId")
    refused(guard.post("/api/visits", {"visitor": {"firstName": "Q"}, "purpose": "Tour"}), "siteId", "visitor.mobile")
    assert admin.patch("/api/sites/" + other["id"], {"isActive": False}).status == 200


NEVER_NULL = [("sites", {"name", "askHost", "isActive"}), ("locations", {"name", "isActive"}), ("gates", {"name", "direction", "isActive"}),
              ("hosts", {"firstName", "isActive"}), ("visitor-categories", {"name", "asksMobile", "position", "isDefault", "isActive"}),
              ("purposes", {"name", "position", "isActive"}), ("visitors", {"firstName", "isActive"}), ("users", {"role", "password", "isActive"}),
              ("roles", {"name", "permissions"})]


@pytest.mark.parametrize("kind,members", NEVER_NULL, ids=[kind for kind, _ in NEVER_NULL])
def test_null_clears_no_member_that_is_needed(kind, members, admin, quiet):
    made = {"locations": {"name": "Hall " + secrets.token_hex(3), "kind": "building"}, "hosts": {"firstName": "Meera", "kind": "employee"},
            "users": {"userName": "u" + secrets.token_hex(4), "password": PASSWORD, "role": "host"}, "visitors": {"firstName": "Vani", "mobile": some_mobile()},
            "roles": {"name": "Clerk " + secrets.token_hex(3), "permissions": []}}.get(kind)
    thing = admin.post("/api/" + kind, made).data if made else admin.get("/api/" + kind).data[-1]
    path = f"/api/{kind}/{thing['id']}"
    before = admin.get(path).data
    codes = refused(admin.patch(path, dict.fromkeys(members)), *members)
    assert set(codes.values()) == {"required"}
    for member in members:
        refused(admin.patch(path, {member: None}), member)
    assert admin.get(path).data == before
    assert admin.patch(path, {}).status == 200
