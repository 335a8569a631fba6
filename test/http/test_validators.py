"""The validators' cases over HTTP: what is typed into POST /api/visitors, what is stored and answered."""
import pytest

from conftest import PASSWORD, cases
from client import Client
from ground import ground, some_mobile  # noqa: F401  (fixture)

BASE = {"firstName": "Ravi"}


def of_http(name):
    return [parameter for parameter in cases(name) if "http" in parameter.values[0]["layer"]]


@pytest.fixture(scope="module")
def abroad(database, tenants, shim, admin):
    """An administrator of a tenant in that country; other countries than India get a tenant when first asked for."""
    clients = {"IN": admin}

    def client(country):
        if country not in clients:
            connection = database.connect(autocommit=False)
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT relygate.create_tenant(%s, %s, 'office', 'Europe/Vienna', %s)", (f"IN_{country}", country, country))
                cursor.execute("SELECT relygate.create_user(user_name => 'admin', password => %s, role => 'tenant_admin')", (PASSWORD,))
            connection.close()
            clients[country] = Client(shim.url).login(f"IN_{country}", "admin", PASSWORD)
        return clients[country]

    return client


def check(client, case, body, member, shown=None):
    """Taken and stored as expected, or refused by name with nothing written."""
    expected = case["expected"]
    answer = client.post("/api/visitors", body)
    if not expected["ok"]:
        assert answer.status == 400 and answer.fields == {expected["field"]}, f"{answer}: {case['why']}"
        return
    assert answer.status == 201, f"{answer}: {case['why']}"
    visitor = client.get(f"/api/visitors/{answer.data['id']}").data
    assert client.delete(f"/api/visitors/{visitor['id']}").status == 200  # the next case may have the same mobile
    if shown:
        assert visitor[member].endswith(shown) and expected["value"] not in answer.raw.decode(), answer
    else:
        assert visitor[member] == answer.data[member] == expected["value"], f"{answer}: {case['why']}"


@pytest.mark.parametrize("case", of_http("mobile"))
def test_mobile(case, abroad):
    client, given = abroad(case["input"]["tenant_country"]), case["input"]
    if "texts" not in given:
        return check(client, case, {**BASE, "mobile": given["text"]}, "mobile")
    first = client.post("/api/visitors", {**BASE, "mobile": given["texts"][0]})
    assert first.status == 201, first
    second = case["expected"]["second_registration"]
    for text in given["texts"][1:]:
        answer = client.post("/api/visitors", {**BASE, "mobile": text})
        assert answer.status == second["status"] and answer.json["responseCode"] == second["responseCode"] and second["field"] in answer.fields, answer
        assert answer.data["id"] == first.data["id"], "the refusal names who has the mobile"
        found = client.get("/api/visitors?mobile=" + "".join(f"%{byte:02X}" for byte in text.encode())).data
        assert [visitor["id"] for visitor in found] == [first.data["id"]], "search finds it in any spelling"
    client.delete(f"/api/visitors/{first.data['id']}")


@pytest.mark.parametrize("case", of_http("names"))
def test_names(case, admin):
    if "search" in case["input"]:
        for name in case["input"]["registered"]:
            assert admin.post("/api/visitors", {"firstName": name, "mobile": some_mobile()}).status == 201
        for text, hits in zip(case["input"]["search"], case["expected"]["hits"]):
            found = admin.get("/api/visitors?search=" + "".join(f"%{byte:02X}" for byte in text.encode())).data
            assert len(found) == hits, f"{text!a}: {case['why']}"
        return
    check(admin, case, {"firstName": case["input"]["text"], "mobile": some_mobile()}, "firstName")


@pytest.mark.parametrize("case", of_http("vehicles"))
def test_vehicles(case, abroad):
    client, given = abroad(case["input"]["tenant_country"]), case["input"]
    if "texts" not in given:
        mobile = some_mobile()
        return check(client, case, {**BASE, "mobile": mobile, "vehicleNo": given["text"]}, "vehicleNo")
    made = [client.post("/api/visitors", {**BASE, "mobile": some_mobile(), "vehicleNo": text}).data for text in given["texts"]]
    assert len({visitor["vehicleNo"] for visitor in made}) == case["expected"]["distinct_stored_values"], case["why"]
    for text in given["texts"]:
        found = client.get("/api/visitors?vehicle=" + "".join(f"%{byte:02X}" for byte in text.encode())).data
        assert {visitor["id"] for visitor in made} <= {visitor["id"] for visitor in found}, f"{text}: {case['why']}"


@pytest.mark.parametrize("case", of_http("email"))
def test_email(case, admin):
    check(admin, case, {**BASE, "mobile": some_mobile(), "email": case["input"]["text"]}, "email")


@pytest.mark.parametrize("case", of_http("documents"))
def test_documents(case, admin, database, shim):
    given, expected = case["input"], case["expected"]
    if "request" in given:
        answer = admin.post("/api/visitors", {**BASE, "mobile": some_mobile(), "documentType": given["documentType"], "documentNo": given["documentNo"]})
        assert answer.status == expected["status"], answer
        for secret in expected["body_must_not_contain"]:
            assert secret.encode() not in answer.raw, case["why"]
        for secret in expected["log_must_not_contain"]:
            assert secret not in shim.log_text(), case["why"]
        return
    if "texts" in given:
        ids = [admin.post("/api/visitors", {**BASE, "mobile": some_mobile(), "documentType": given["type"], "documentNo": text}).data["id"]
               for text in given["texts"]]
        hashes = database.value("SELECT count(DISTINCT document_hash) FROM relygate.visitors WHERE id = ANY (%s::uuid[])", ids)
        assert hashes == expected["distinct_hashes"], case["why"]
        return
    check(admin, case, {**BASE, "mobile": some_mobile(), "documentType": given["type"], "documentNo": given["text"]}, "documentMasked",
          shown=expected["value"][-4:] if expected["ok"] else None)
    if expected["ok"]:
        stored = database.value("SELECT count(*) FROM relygate.visitors v WHERE v::text LIKE %s", f"%{expected['value']}%")
        audited = database.value("SELECT count(*) FROM relygate.audit_log a WHERE a.changes::text LIKE %s", f"%{expected['value']}%")
        assert stored == audited == 0, "the number is kept in clear"
