"""Sites, locations, gates, hosts and vocabularies over HTTP: the same five routes each, and what makes each its own."""
import uuid

import pytest

from ground import ground, walk_in  # noqa: F401  (fixture)

# path, what is made, what is changed, what may not be null
KINDS = [("/api/sites", {"name": "Annexe"}, {"name": "Annexe B"}, "name"),
         ("/api/locations", {"kind": "building", "name": "Block Z"}, {"name": "Block Y"}, "name"),
         ("/api/gates", {"name": "Side gate", "direction": "out"}, {"direction": "both"}, "direction"),
         ("/api/hosts", {"kind": "employee", "firstName": "Meera", "mobile": "9845012367"}, {"mobile": None}, "firstName"),
         ("/api/visitor-categories", {"name": "Pilgrim"}, {"asksMobile": False}, "name"),
         ("/api/purposes", {"name": "Mooring", "kind": "visit"}, {"position": 9}, "position")]


@pytest.mark.parametrize("path,body,change,needed", KINDS, ids=[kind[0].rsplit("/", 1)[1] for kind in KINDS])
def test_made_read_changed_deleted(path, body, change, needed, admin, guard, south, ground):
    made = admin.post(path, {**body, "siteId": ground.site} if path in ("/api/locations", "/api/gates") else body)
    assert made.status == 201 and made.headers["Location"] == f"{path}/{made.data['id']}", made
    own = f"{path}/{made.data['id']}"
    assert guard.get(own).data == made.data
    assert made.data["id"] in [row["id"] for row in guard.get(path + "?pageSize=100").data]
    assert guard.post(path, body).status == 403 and guard.patch(own, change).status == 403 and guard.delete(own).status in (403, 405), "a guard reads only"
    for method, sent in (("GET", None), ("PATCH", change), ("DELETE", None)):
        if (path, method) != ("/api/sites", "DELETE"):
            assert south.request(method, own, sent).status == 404, "another tenant's"
            assert admin.request(method, f"{path}/{uuid.uuid4()}", sent).status == 404
    changed = admin.patch(own, change)
    assert changed.status == 200 and all(changed.data[name] == value for name, value in change.items()), changed
    empty = admin.patch(own, {needed: None})
    assert empty.status == 400 and empty.fields == {needed}, empty
    unknown = admin.patch(own, {"colour": "red"})
    assert unknown.status == 400 and unknown.fields == {"colour"}, unknown
    gone = admin.patch(own, {"isActive": False}) if path == "/api/sites" else admin.delete(own)
    assert gone.status == 200 and gone.data["isActive"] is False, gone
    assert made.data["id"] not in [row["id"] for row in guard.get(path + "?pageSize=100").data]
    assert guard.get(own).data["isActive"] is False, "who looks back still finds it"


@pytest.mark.parametrize("path,body", [("/api/purposes", {"name": "Regatta"}), ("/api/visitor-categories", {"name": "Regatta"}), ("/api/gates", {"name": "Regatta"}),
                                       ("/api/locations", {"kind": "building", "name": "Regatta"})])
def test_a_name_is_taken_in_any_case(path, body, admin, ground):
    assert admin.post(path, body).status == 201
    again = admin.post(path, {**body, "name": "  REGATTA "})
    assert again.status == 409 and again.fields == {"name"} and again.json["errors"][0]["code"] == "duplicate", again


def test_vocabularies_have_tags(guard, ground):
    for path in ("/api/purposes", "/api/visitor-categories"):
        answer = guard.get(f"{path}/{guard.get(path).data[0]['id']}")
        tag = answer.headers["ETag"]
        assert tag.startswith('"') and guard.get(answer.asked.split()[1], headers={"If-None-Match": tag}).status == 304


@pytest.mark.parametrize("path", ["/api/purposes", "/api/purposes?pageSize=1", "/api/purposes?kind=staff", "/api/visitor-categories"])
def test_lists_of_vocabularies_have_tags(path, guard, south, admin, ground):
    first = guard.get(path)
    tag = first.headers["ETag"]
    assert first.status == 200 and first.headers["Cache-Control"] == "private, no-cache", first.headers
    assert {"Authorization", "Origin"} <= {word.strip() for line in first.headers.get_all("Vary") for word in line.split(",")}
    for sent in (tag, f"W/{tag}", f'"x", W/{tag}', f'"x",\t{tag}', "*"):
        again = guard.get(path, headers={"If-None-Match": sent})
        assert (again.status, again.raw, again.headers["ETag"], again.headers["Cache-Control"]) == (304, b"", tag, "private, no-cache"), sent
        assert again.headers["Content-Type"] is None
        assert guard.request("HEAD", path, headers={"If-None-Match": sent}).status == 304
    for sent in (tag[:-1], tag[1:], tag.strip('"'), f'"{tag[1:-2]}"', '""', "W/*", "x"):
        assert guard.get(path, headers={"If-None-Match": sent}).status == 200, sent
    # No tag stands in for a token, and none of another tenant's says that its own data are the same.
    assert guard.get(path, headers={"If-None-Match": tag}, token=False).status == 401
    assert guard.get(path, headers={"If-None-Match": tag}, token="x.y.z").status == 401
    other = south.get(path, headers={"If-None-Match": tag})
    assert other.status == 200 and other.headers["ETag"] != tag and other.data != first.data, other


def test_the_tag_of_a_list_follows_its_total(admin, guard, ground):
    """One row a page: the row stays what it was, the list does not."""
    path = "/api/purposes?pageSize=1"
    tag = guard.get(path).headers["ETag"]
    made = admin.post("/api/purposes", {"name": "Zither lesson", "kind": "visit"})
    assert made.status == 201, made
    changed = guard.get(path, headers={"If-None-Match": tag})
    assert changed.status == 200 and changed.headers["ETag"] != tag, changed
    admin.delete(f"/api/purposes/{made.data['id']}")
    assert guard.get(path, headers={"If-None-Match": tag}).status == 304, "what it was before is the same again"


def test_people_have_no_tags(guard, ground):
    for path in ("/api/visitors", "/api/visits", "/api/hosts"):
        answer = guard.get(path, headers={"If-None-Match": "*"})
        assert answer.status == 200 and answer.headers["ETag"] is None and answer.headers["Cache-Control"] == "no-store", answer


def test_purposes_of_a_kind(guard, ground):
    assert {row["kind"] for row in guard.get("/api/purposes?kind=staff").data} == {"staff"}
    assert guard.get("/api/purposes?kind=holiday").fields == {"kind"}


def test_the_tree_keeps_its_order(admin, ground):
    house = admin.post("/api/locations", {"kind": "building", "name": "House"}).data["id"]
    floor = admin.post("/api/locations", {"kind": "floor", "name": "First", "parentId": house}).data["id"]
    flat = admin.post("/api/locations", {"kind": "unit", "name": "101", "parentId": floor}).data["id"]
    assert admin.post("/api/locations", {"kind": "floor", "name": "Loose"}).code == "location_kind"
    assert admin.patch(f"/api/locations/{floor}", {"parentId": flat}).code == "location_kind"
    assert admin.patch(f"/api/locations/{flat}", {"kind": "building"}).fields == {"kind"}, "a kind never changes"
    assert admin.delete(f"/api/locations/{house}").status == 409
    assert [row["id"] for row in admin.get(f"/api/locations?parent={floor}").data] == [flat]
    host = admin.post("/api/hosts", {"kind": "resident", "firstName": "Asha", "locationId": flat}).data
    assert host["locationName"] == "101" and admin.delete(f"/api/locations/{flat}").data == {"locations": 0, "hosts": 1}


def test_a_site_with_people_inside_stays_open(admin, guard, ground):
    visit = guard.post("/api/visits", walk_in(gateId=ground.gate)).data
    closing = admin.patch(f"/api/sites/{ground.site}", {"isActive": False})
    assert closing.status == 409 and closing.data == {"openVisits": 1}, closing
    assert guard.get(f"/api/sites/{ground.site}/occupancy").data == {"siteId": ground.site, "capacity": None, "inside": 1, "openVisits": 1, "freePlaces": None}
    guard.post(f"/api/visits/{visit['id']}/check-out")


@pytest.mark.parametrize("capacity", [0, -1, 1.5, "10"])
def test_a_capacity_is_a_number_of_people(capacity, admin, ground):
    answer = admin.patch(f"/api/sites/{ground.site}", {"capacity": capacity})
    assert answer.status == 400 and answer.fields == {"capacity"}, answer


def test_the_default_category_stays(admin):
    default = next(c for c in admin.get("/api/visitor-categories?pageSize=100").data if c["isDefault"])
    refused = admin.delete(f"/api/visitor-categories/{default['id']}")
    assert (refused.status, refused.code) == (409, "default_category"), refused
    for body, field in (({"isDefault": False}, "isDefault"), ({"isActive": False}, "isActive"), ({"isDefault": True, "isActive": False}, "isActive")):
        refused = admin.patch(f"/api/visitor-categories/{default['id']}", body)
        assert (refused.status, refused.code, refused.fields) == (409, "default_category", {field}), refused
    assert admin.get(f"/api/visitor-categories/{default['id']}").data == default
    other = admin.post("/api/visitor-categories", {"name": "Auditors"}).data
    assert admin.patch(f"/api/visitor-categories/{other['id']}", {"isDefault": True}).status == 200
    assert admin.delete(f"/api/visitor-categories/{default['id']}").status == 200


def test_a_user_cannot_be_left_without_a_role(admin):
    user = next(u for u in admin.get("/api/users?pageSize=100").data if u["userName"] == "auditor")
    refused = admin.patch(f"/api/users/{user['id']}", {"role": None})
    assert refused.status == 400 and refused.fields == {"role"}, refused
