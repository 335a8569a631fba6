"""The demo that make run loads: two tenants through the product's own functions, once."""
import os
import subprocess

import pytest

from conftest import ROOT
from client import Client

PASSWORDS = {f"{name}_PASSWORD": f"Demo-{name.title()}-7431" for name in ("ADMIN", "GUARD", "SECOND_ADMIN", "REPORT", "SECOND_REPORT", "SHIM")}


def load(database, **passwords):
    return subprocess.run([ROOT / "scripts/demo", database.url()], env={**os.environ, **PASSWORDS, **passwords}, capture_output=True, text=True)


@pytest.fixture(scope="module")
def demo(database):
    run = load(database)
    assert run.returncode == 0, run.stderr
    return database


def counts(database):
    return database.run("SELECT t.code::text, (SELECT count(*) FROM relygate.visits v WHERE v.tenant_id = t.id), "
                        "(SELECT count(*) FROM relygate.visitors p WHERE p.tenant_id = t.id), (SELECT count(*) FROM relygate.users u WHERE u.tenant_id = t.id) "
                        "FROM relygate.tenants t ORDER BY 1")


def test_two_tenants_of_different_kind_and_country(demo):
    rows = demo.run("SELECT code::text, kind::text, country::text FROM relygate.tenants ORDER BY 1")
    assert rows == [("GREENWOOD", "school", "IN"), ("MARINA", "residential", "AE")]
    (_, green, green_people, green_users), (_, blue, blue_people, blue_users) = counts(demo)
    assert green > 200 and blue > 100 and green_people > 100 and blue_people > 80 and green_users == blue_users == 5


def test_history_is_believable(demo):
    assert demo.value("SELECT count(DISTINCT requested_at::date) FROM relygate.visits") > 20
    assert demo.value("SELECT count(*) FROM relygate.visits WHERE requested_at > now() OR checked_out_at > now()") == 0
    assert demo.value("SELECT count(*) FROM relygate.visits WHERE state = 'checked_in'") == 21
    assert demo.value("SELECT count(*) FROM relygate.visitors WHERE first_name !~ '^[ -~]*$'") > 20, "names of several scripts"


def test_a_second_run_changes_nothing(demo):
    before = counts(demo), demo.value("SELECT count(*) FROM relygate.audit_log")
    assert load(demo).returncode == 0
    assert (counts(demo), demo.value("SELECT count(*) FROM relygate.audit_log")) == before


def test_the_logins_work_and_follow_new_passwords(demo, shims):
    shim = shims(demo)
    assert Client(shim.url).login("GREENWOOD", "guard", PASSWORDS["GUARD_PASSWORD"]).post(
        "/api/visits", {"visitor": {"firstName": "Asha", "mobile": "+91 98450 99999"}, "purpose": "Delivery"}).status == 201, "site and gate may be left out"
    Client(shim.url).login("MARINA", "admin", PASSWORDS["SECOND_ADMIN_PASSWORD"])
    assert load(demo, GUARD_PASSWORD="Demo-Other-Guard-7431").returncode == 0
    Client(shim.url).login("GREENWOOD", "guard", "Demo-Other-Guard-7431")


def test_each_reporting_login_sees_its_tenant(demo):
    seen = [demo.value("SELECT count(*) FROM relygate_report.visits", user=login) for login in ("report_green", "report_blue")]
    assert seen == [row[1] for row in counts(demo)]


def test_help_and_missing_passwords():
    usage = subprocess.run([ROOT / "scripts/demo", "--help"], capture_output=True, text=True)
    assert usage.returncode == 0 and "GUARD_PASSWORD" in usage.stdout
    bare = subprocess.run([ROOT / "scripts/demo", "postgresql://nowhere/"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert bare.returncode == 2 and "ADMIN_PASSWORD is not set" in bare.stderr
