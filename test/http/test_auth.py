"""Logging in, refreshing, logging out, users and the rotation of keys, against a running shim."""
import base64
import concurrent.futures
import ctypes
import json
import secrets

import pytest

from client import Client
from conftest import PASSWORD, wait_until


@pytest.fixture
def anybody(shim, tenants):
    return Client(shim.url)


def log_in(client, user="guard", password=PASSWORD, tenant="NORTH"):
    return client.post("/api/auth/login", {"tenant": tenant, "userName": user, "password": password}, token=False)


def part_of(token, number):
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def make_user(admin, role="security_guard", **more):
    name = "u_" + secrets.token_hex(5)
    answer = admin.post("/api/users", {"userName": name, "password": PASSWORD, "role": role, **more})
    assert answer.status == 201, answer
    return answer.data


def status_of(client, token):
    return client.get("/api/auth/userinfo", token=token).status


# Login -------------------------------------------------------------------------------------------------------------

def test_login_gives_a_token_and_the_user(anybody, tenants):
    answer = log_in(anybody)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store", answer
    assert answer.json["responseCode"] == "S"
    assert {"token", "expiresAt", "refreshToken", "user"} <= answer.data.keys()
    assert answer.data["user"]["userName"] == "guard" and answer.data["user"]["role"] == "security_guard"
    claims, header = part_of(answer.data["token"], 1), part_of(answer.data["token"], 0)
    assert header["alg"] == "ES256" and header["typ"] == "JWT" and header["kid"]
    assert claims.keys() == {"iss", "sub", "tenant_id", "role", "iat", "nbf", "exp", "jti", "sid"}
    assert claims["tenant_id"] == str(tenants.north) and claims["sub"] == answer.data["user"]["id"]
    assert claims["exp"] > claims["iat"] == claims["nbf"]


def test_userinfo(anybody, guard):
    me = guard.get("/api/auth/userinfo")
    assert me.status == 200 and me.data["userName"] == "guard" and me.data["role"] == "security_guard", me
    assert me.data["tenant"]["code"] == "NORTH" and "visits.write" in me.data["permissions"]
    assert "users.write" not in me.data["permissions"]
    assert "password" not in me.raw.decode().replace("passwordChangedAt", "")
    assert anybody.get("/api/auth/userinfo").status == 401


def test_tenant_by_id_and_any_case_of_names(anybody, tenants):
    assert log_in(anybody, tenant=str(tenants.north)).status == 200
    assert log_in(anybody, user="GUARD", tenant="north").status == 200


def test_whatever_is_wrong_is_told_alike(anybody, admin):
    closed = make_user(admin)
    assert admin.delete("/api/users/" + closed["id"]).status == 200
    answers = [log_in(anybody, user=user, password=password, tenant=tenant) for user, password, tenant in (
        ("host", "Wrong-1-password", "NORTH"), ("nobody_" + secrets.token_hex(4), PASSWORD, "NORTH"),
        ("host", PASSWORD, "X" + secrets.token_hex(6).upper()), ("host", PASSWORD, "00000000-0000-0000-0000-000000000000"),
        (closed["userName"], PASSWORD, "NORTH"), ("", "", ""), ("host", "x" * 5000, "NORTH"), ("'; --", "'; --", "'; --"))]
    told = {(answer.status, answer.code, answer.json["responseMessage"], str(answer.json["errors"])) for answer in answers}
    assert told == {(401, "invalid_credentials", "wrong tenant, user name or password", "[]")}, answers
    assert all(answer.headers["WWW-Authenticate"].startswith("Bearer") for answer in answers)


def test_login_body_is_checked_as_any_other(anybody):
    answer = anybody.post("/api/auth/login", {"tenant": 7, "userName": None, "pasword": "x"}, token=False)
    assert answer.status == 400 and answer.fields == {"tenant", "userName", "pasword", "password"}, answer


@pytest.mark.parametrize("known", (True, False))
def test_five_failures_lock_a_name_known_or_not(anybody, admin, known):
    name = make_user(admin)["userName"] if known else "nobody_" + secrets.token_hex(5)
    assert [log_in(anybody, name, "Wrong-1-password").status for _ in range(5)] == [401] * 5
    for spelling in (name, name.upper()):
        answer = log_in(anybody, spelling, PASSWORD)
        assert answer.status == 423 and answer.code == "locked", answer
        assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert log_in(anybody, name, tenant="SOUTH").status == 401, "another tenant's user of that name is not locked"


def test_a_login_in_time_forgets_the_failures_and_an_administrator_unlocks(anybody, admin):
    user = make_user(admin)
    for _ in range(2):
        assert [log_in(anybody, user["userName"], "Wrong-1-password").status for _ in range(4)] == [401] * 4
        assert log_in(anybody, user["userName"]).status == 200
    for number in range(5):    # ten times the same wrong one is all that the shim lets through
        log_in(anybody, user["userName"], f"Wrong-{number}-word")
    assert log_in(anybody, user["userName"]).status == 423
    assert admin.post(f"/api/users/{user['id']}/unlock").status == 200
    assert log_in(anybody, user["userName"]).status == 200


def test_many_attempts_at_once_are_no_way_around_the_lock(shim, admin):
    name = make_user(admin)["userName"]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: log_in(Client(shim.url), name, "Wrong-1-password").status, range(12)))
    assert sorted(statuses) == [401] * 5 + [423] * 7, statuses


def bcrypt_of(password):
    """By the C library itself, as another product would have made it."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = library.crypt_gensalt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), library.crypt_gensalt(b"$2b$", 5, None, 0)).decode()


def test_an_imported_bcrypt_password_becomes_yescrypt(anybody, admin, database, tenants):
    user = make_user(admin)
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("UPDATE relygate.users SET password_hash = %s WHERE id = %s", (bcrypt_of(PASSWORD), user["id"]))
    assert log_in(anybody, user["userName"], "Wrong-1-password").status == 401
    assert log_in(anybody, user["userName"]).status == 200
    assert database.value("SELECT password_hash FROM relygate.users WHERE id = %s", user["id"]).startswith("$y$")
    assert log_in(anybody, user["userName"]).status == 200


# Sessions ----------------------------------------------------------------------------------------------------------

def refresh(client, token):
    return client.post("/api/auth/refresh", {"refreshToken": token}, token=False)


def test_refresh_rotates(anybody):
    first = log_in(anybody).data
    second = refresh(anybody, first["refreshToken"])
    assert second.status == 200 and second.data["refreshToken"] != first["refreshToken"], second
    assert part_of(second.data["token"], 1)["sid"] == part_of(first["token"], 1)["sid"]
    assert status_of(anybody, second.data["token"]) == 200
    assert refresh(anybody, second.data["refreshToken"]).status == 200


def test_a_reused_refresh_token_ends_the_session(anybody):
    first = log_in(anybody).data
    second = refresh(anybody, first["refreshToken"]).data
    reused = refresh(anybody, first["refreshToken"])
    assert reused.status == 401 and reused.code == "invalid_refresh_token", reused
    assert refresh(anybody, second["refreshToken"]).status == 401, "the thief and the owner are both out"
    wait_until(lambda: status_of(anybody, second["token"]) == 401, 1, "the access token still worked")
    assert status_of(anybody, log_in(anybody).data["token"]) == 200, "other sessions go on"


def test_a_made_up_refresh_token_ends_nothing(anybody):
    data = log_in(anybody).data
    token = data["refreshToken"]
    forged = token[:43] + "".join("A" if letter != "A" else "B" for letter in token[43:])
    answers = [refresh(anybody, text) for text in ("", "x", forged, token[:-1], token + "A", "A" * 86, token.upper())]
    assert {(answer.status, answer.code) for answer in answers} == {(401, "invalid_refresh_token")}, answers
    assert status_of(anybody, data["token"]) == 200 and refresh(anybody, token).status == 200


def test_two_refreshes_at_once_give_one_pair(shim, anybody):
    token = log_in(anybody).data["refreshToken"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(lambda _: refresh(Client(shim.url), token).status, range(2)))
    assert statuses == [200, 401]


def test_logout_revokes_within_a_second(anybody):
    data = log_in(anybody).data
    for _ in range(20):     # so that every backend has seen the session live
        assert status_of(anybody, data["token"]) == 200
    answer = anybody.post("/api/auth/logout", token=data["token"])
    assert answer.status == 200 and answer.json["responseCode"] == "S", answer
    wait_until(lambda: status_of(anybody, data["token"]) == 401, 1, "the token still worked")
    assert {status_of(anybody, data["token"]) for _ in range(40)} == {401}
    assert refresh(anybody, data["refreshToken"]).status == 401


def test_change_password(anybody, admin):
    name = make_user(admin)["userName"]
    here, there = log_in(anybody, name).data, log_in(anybody, name).data

    def change(old, new):
        return anybody.post("/api/auth/change-password", {"currentPassword": old, "newPassword": new}, token=here["token"])

    wrong = change("Wrong-1-password", "Another-9-word")
    assert wrong.status == 422 and wrong.fields == {"currentPassword"}, wrong
    assert change(PASSWORD, "short").status == 400
    assert change(PASSWORD, "Another-9-word").status == 200
    assert log_in(anybody, name).status == 401 and log_in(anybody, name, "Another-9-word").status == 200
    assert status_of(anybody, here["token"]) == 200 and status_of(anybody, there["token"]) == 401


# Users -------------------------------------------------------------------------------------------------------------

def test_users_are_the_administrators(guard, admin):
    assert guard.post("/api/users", {"userName": "x_y_z"}).status == 403
    assert guard.get("/api/users").status == 403
    user = make_user(admin, "receptionist", firstName="Meera", email="meera@Example.ORG", mobile="98450 12367")
    assert user["mobile"] == "+919845012367" and user["email"] == "meera@example.org" and user["isActive"], user
    assert admin.get("/api/users/" + user["id"]).data == user
    assert user["id"] in {row["id"] for row in admin.get("/api/users?search=MEERA").data}
    taken = admin.post("/api/users", {"userName": user["userName"].upper(), "password": PASSWORD, "role": "host"})
    assert taken.status == 409 and taken.fields <= {"userName"}, taken
    bad = admin.post("/api/users", {"userName": "x", "password": "weak", "role": "host", "mobile": "12", "firstName": "<b>"})
    assert bad.status == 400 and bad.fields == {"userName", "password", "mobile", "firstName"}, bad
    unknown = admin.post("/api/users", {"userName": "somebody_else", "password": PASSWORD, "role": "emperor"})
    assert unknown.status == 400 and unknown.fields == {"role"}, unknown
    assert PASSWORD not in unknown.raw.decode()


def test_a_changed_user_works_at_once(anybody, admin):
    user = make_user(admin)
    token = log_in(anybody, user["userName"]).data["token"]
    assert anybody.get("/api/users", token=token).status == 403
    changed = admin.patch("/api/users/" + user["id"], {"role": "tenant_admin", "lastName": "Rao"})
    assert changed.status == 200 and changed.data["role"] == "tenant_admin" and changed.data["lastName"] == "Rao", changed
    assert anybody.get("/api/users", token=token).status == 200, "rights come from the database, not from the token"
    assert admin.patch("/api/users/" + user["id"], {"lastName": None}).data["lastName"] is None
    assert admin.patch("/api/users/" + user["id"], {"isActive": False}).status == 200
    wait_until(lambda: status_of(anybody, token) == 401, 1)


def test_sign_out_ends_all_sessions(anybody, admin):
    user = make_user(admin)
    tokens = [log_in(anybody, user["userName"]).data["token"] for _ in range(2)]
    assert admin.post(f"/api/users/{user['id']}/sign-out").status == 200
    wait_until(lambda: {status_of(anybody, token) for token in tokens} == {401}, 1)


def test_nobody_gives_more_than_he_has(anybody, admin, database, tenants):
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("""WITH r AS (INSERT INTO relygate.roles (name) VALUES ('clerk') RETURNING id)
                          INSERT INTO relygate.role_permissions (role_id, permission)
                          SELECT r.id, p FROM r, unnest(ARRAY['users.read', 'users.write']) p""")
    clerk = make_user(admin, "clerk")
    token = log_in(anybody, clerk["userName"]).data["token"]
    tenant_admin = next(row for row in admin.get("/api/users?role=tenant_admin").data if row["userName"] == "admin")
    for answer in (
            anybody.post("/api/users", {"userName": "new_admin", "password": PASSWORD, "role": "tenant_admin"}, token=token),
            anybody.patch("/api/users/" + tenant_admin["id"], {"password": "Another-9-word"}, token=token),
            anybody.delete("/api/users/" + tenant_admin["id"], token=token)):
        assert answer.status == 403 and answer.code == "role_beyond_own", answer
    own = anybody.delete("/api/users/" + clerk["id"], token=token)
    assert own.status == 409 and own.code == "own_account", own


def test_roles_permissions_and_tenant(admin, guard, south):
    roles = {role["name"]: role for role in admin.get("/api/roles").data}
    assert {"tenant_admin", "receptionist", "security_guard", "host", "auditor"} <= roles.keys()
    assert "platform_admin" not in roles and "visits.write" in roles["security_guard"]["permissions"]
    permissions = {row["permission"] for row in admin.get("/api/permissions").data}
    assert permissions == set(roles["tenant_admin"]["permissions"])
    assert guard.get("/api/tenant").data["code"] == "NORTH" and south.get("/api/tenant").data["country"] == "AE"


def test_a_tenant_makes_roles_of_its_own(admin, anybody):
    name = "Desk " + secrets.token_hex(3)
    made = admin.post("/api/roles", {"name": name, "permissions": ["visits.read", "users.read"]})
    assert made.status == 201 and made.data["permissions"] == ["users.read", "visits.read"], made
    path = "/api/roles/" + made.data["id"]
    assert admin.post("/api/roles", {"name": name.upper(), "permissions": []}).status == 409
    wrong = admin.post("/api/roles", {"name": "Other", "permissions": ["visits.read", "platform.write"]})
    assert wrong.status == 400 and "permissions" in wrong.fields, wrong

    user = make_user(admin, name)
    token = log_in(anybody, user["userName"]).data["token"]
    assert anybody.get("/api/users", token=token).status == 200
    assert admin.patch(path, {"permissions": ["visits.read"]}).data["permissions"] == ["visits.read"]
    assert anybody.get("/api/users", token=token).status == 403, "a permission that was taken away is gone at once"
    assert admin.delete(path).code == "in_use"
    assert admin.patch("/api/users/" + user["id"], {"role": "host"}).status == 200
    assert admin.delete(path).status == 200 and admin.get(path).status == 404
    built_in = next(role for role in admin.get("/api/roles").data if role["name"] == "host")
    assert admin.patch("/api/roles/" + built_in["id"], {"name": "Emperor"}).code == "built_in"


def test_nobody_raises_his_own_role(admin, anybody):
    everything = [row["permission"] for row in admin.get("/api/permissions").data]
    role = admin.post("/api/roles", {"name": "Keeper " + secrets.token_hex(3), "permissions": ["roles.write", "roles.read"]}).data
    token = log_in(anybody, make_user(admin, role["name"])["userName"]).data["token"]
    for permissions in (everything, ["roles.read", "roles.write", "audit.read"]):
        answer = anybody.patch("/api/roles/" + role["id"], {"permissions": permissions}, token=token)
        assert answer.status == 403 and answer.code == "role_beyond_own", answer
    assert anybody.get("/api/users", token=token).status == 403
    assert admin.get("/api/roles/" + role["id"]).data["permissions"] == ["roles.read", "roles.write"]


def test_another_tenants_user_is_not_there(admin, south):
    user = make_user(south)
    for answer in (admin.get("/api/users/" + user["id"]), admin.patch("/api/users/" + user["id"], {"lastName": "Rao"}),
                   admin.delete("/api/users/" + user["id"]), admin.post(f"/api/users/{user['id']}/sign-out"),
                   admin.post(f"/api/users/{user['id']}/unlock")):
        assert answer.status == 404, answer


# Keys --------------------------------------------------------------------------------------------------------------

def kids(client):
    return {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}


def test_published_keys_have_no_private_part(anybody):
    keys = anybody.get("/.well-known/jwks.json").json["keys"]
    assert keys and all(key["kty"] == "EC" and key["alg"] == "ES256" and "d" not in key for key in keys)


def test_rotation_with_overlap(anybody, database):
    """jwt-011: a key made while the shim runs is known within seconds; tokens of the old one go on to the end of their lives."""
    old = log_in(anybody).data["token"]
    new_kid = database.value("SELECT relygate.rotate_signing_key('token')")
    wait_until(lambda: new_kid in kids(anybody), 5, "the shim did not learn of the new key")
    assert part_of(log_in(anybody).data["token"], 0)["kid"] != new_kid, "it does not sign before every shim knows it"
    database.run("UPDATE relygate_global.signing_keys SET signs_from = now() WHERE kid = %s", new_kid)
    new = log_in(anybody).data["token"]
    assert part_of(new, 0)["kid"] == new_kid
    assert status_of(anybody, new) == 200 and status_of(anybody, old) == 200


def test_a_compromised_key_goes_at_once(anybody, database):
    """jwt-012: a cache of verified tokens does not outlive their key."""
    old = log_in(anybody).data["token"]
    assert [status_of(anybody, old) for _ in range(3)] == [200] * 3
    database.run("SELECT relygate.rotate_signing_key('token', compromised => true)")
    wait_until(lambda: status_of(anybody, old) == 401, 5, "the old token still worked")
    wait_until(lambda: status_of(anybody, log_in(anybody).data["token"]) == 200, 5, "nobody could log in")
    assert part_of(old, 0)["kid"] not in kids(anybody)
