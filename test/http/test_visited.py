"""Who and what a walk-in visits must fit together: host and unit at the visit's site, residents where they live."""
import secrets

import pytest

from ground import ground, quiet, some_mobile, walk_in  # noqa: F401  (fixtures)


class House:
    """Two floors with flats and a meeting room at the site, a flat at another one, and who lives and works there."""

    def __init__(self, admin, quiet):
        def make(path, **members):
            answer = admin.post("/api/" + path, members)
            assert answer.status == 201, answer
            return answer.data["id"]
        name = secrets.token_hex(3)
        self.other_site = make("sites", name="Annexe " + name)
        make("gates", name="Back gate", siteId=self.other_site)
        self.building = make("locations", kind="building", name="Block " + name, siteId=quiet.site)
        self.floor = make("locations", kind="floor", name="First", parentId=self.building)
        self.flat = make("locations", kind="unit", name="A-101", parentId=self.floor)
        self.other_flat = make("locations", kind="unit", name="A-102", parentId=self.floor)
        self.room = make("locations", kind="unit", name="Meeting room " + name, siteId=quiet.site)
        self.far_flat = make("locations", kind="unit", name="Z-9", siteId=self.other_site)
        self.resident = make("hosts", kind="resident", firstName="Meera", locationId=self.flat)
        self.caretaker = make("hosts", kind="resident", firstName="Mohan", locationId=self.building)
        self.employee = make("hosts", kind="employee", firstName="Esha", locationId=self.flat)
        self.anywhere = make("hosts", kind="resident", firstName="Arun")
        self.far_resident = make("hosts", kind="resident", firstName="Zoya", locationId=self.far_flat)


@pytest.fixture()
def house(admin, quiet):
    house = House(admin, quiet)
    yield house
    assert admin.patch("/api/sites/" + house.other_site, {"isActive": False}).status == 200


CASES = [("flat", {}, None), ("flat", {"hostId": "resident"}, None), ("other_flat", {"hostId": "caretaker"}, None), ("room", {"hostId": "employee"}, None),
         ("room", {"hostId": "anywhere"}, None), (None, {"hostId": "resident"}, None),
         ("building", {}, ("location_kind", {"unitId"})), ("floor", {}, ("location_kind", {"unitId"})), ("far_flat", {}, ("other_site", {"unitId"})),
         ("other_flat", {"hostId": "resident"}, ("host_unit", {"hostId", "unitId"})), ("room", {"hostId": "caretaker"}, ("host_unit", {"hostId", "unitId"})),
         (None, {"hostId": "far_resident"}, ("other_site", {"hostId"})), ("far_flat", {"hostId": "far_resident"}, ("other_site", {"hostId", "unitId"}))]


def test_host_unit_and_site_fit_together(guard, house, quiet):
    for unit, members, refusal in CASES:
        body = {**walk_in(siteId=quiet.site), **{name: getattr(house, value) for name, value in members.items()}}
        if unit:
            body["unitId"] = getattr(house, unit)
        before = quiet.written()
        for path in ("/api/visits/try", "/api/visits"):
            answer = guard.post(path, body)
            if refusal:
                assert answer.status == 422 and (answer.code, answer.fields) == refusal, (unit, members, answer)
            else:
                assert answer.status in (200, 201), (unit, members, answer)
        if refusal:
            assert quiet.written() == before
        else:
            assert guard.post(f"/api/visits/{answer.data['id']}/cancel").status in (200, 409)
    there = guard.post("/api/visits", walk_in(siteId=house.other_site, unitId=house.far_flat, hostId=house.far_resident))
    assert there.status == 201, there
    assert guard.post(f"/api/visits/{there.data['id']}/check-out").status == 200


def test_a_visitor_belongs_to_a_unit(admin, house):
    for wrong in (house.building, house.floor):
        answer = admin.post("/api/visitors", {"firstName": "Vani", "mobile": some_mobile(), "unitId": wrong})
        assert answer.status == 422 and (answer.code, answer.fields) == ("location_kind", {"unitId"}), answer
    visitor = admin.post("/api/visitors", {"firstName": "Vani", "mobile": some_mobile(), "unitId": house.flat}).data
    assert visitor["unitId"] == house.flat
    answer = admin.patch("/api/visitors/" + visitor["id"], {"unitId": house.building})
    assert answer.status == 422 and answer.fields == {"unitId"}, answer
    assert admin.patch("/api/visitors/" + visitor["id"], {"unitId": None}).data["unitId"] is None
