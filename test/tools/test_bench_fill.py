"""bench/fill: with triggers off it makes what the triggers would have made, and the same for the same seed."""
import contextlib
import datetime
import random
import subprocess
import types
import zoneinfo

import pytest

from conftest import ROOT, copy_of_template

UNTIL = "2026-11-01T15:30:00+00:00"
TABLES = ("sites", "gates", "locations", "hosts", "users", "visitors", "visits")


def fill(database, *arguments, expected=0):
    run = subprocess.run([ROOT / "bench/fill", database.url(), "--until", UNTIL, *arguments], capture_output=True, text=True)
    assert run.returncode == expected, run.stderr
    return run.stderr


def rows(database, tenant):
    """All that was made, without what is random by design: ids of the tenant and what create_tenant made, a password's hash."""
    strangers = ("SELECT coalesce(jsonb_agg(DISTINCT id), '[]') FROM (SELECT id FROM relygate.tenants WHERE code = 'MADE' UNION ALL "
                 "SELECT p.id FROM relygate.purposes p UNION ALL SELECT id FROM relygate.visitor_categories UNION ALL "
                 "SELECT id FROM relygate.sites UNION ALL SELECT id FROM relygate.roles) s")
    random_ids = database.value(strangers)
    made = []
    for table in TABLES[1:]:
        found = database.value(f"SELECT coalesce(jsonb_agg(to_jsonb(t) - 'password_hash' - 'tenant_id' ORDER BY t.id), '[]') FROM relygate.{table} t "
                               "WHERE tenant_id = relygate.find_tenant(%s)", tenant)
        made += [{key: value for key, value in row.items() if value not in random_ids} for row in found]
    return made


@contextlib.contextmanager
def taken_back(database):
    """A cursor in a transaction that ends without a trace, also where the test fails."""
    connection = database.connect(autocommit=False)
    try:
        yield connection.cursor()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def filled(database):
    fill(database, "--tenant", "MADE", "--visits", "3000")
    return database


@pytest.fixture(scope="module")
def tenant(filled):
    return filled.value("SELECT relygate.find_tenant('MADE')")


def test_as_many_as_asked_for_in_all_states_over_two_years(filled):
    states = dict(filled.run("SELECT state::text, count(*) FROM relygate.visits GROUP BY state"))
    assert sum(states.values()) == 3000
    assert {"checked_in", "checked_out", "refused", "cancelled", "expired"} <= states.keys()
    assert states["checked_out"] > 2500 and states["checked_in"] >= 2
    assert filled.value("SELECT max(requested_at) - min(requested_at) FROM relygate.visits").days in range(700, 732)
    assert filled.value("SELECT count(*) FROM relygate.visits WHERE greatest(requested_at, checked_in_at, checked_out_at) > %s", UNTIL) == 0
    by_day = dict(filled.run("SELECT extract(isodow FROM requested_at AT TIME ZONE 'Asia/Kolkata')::int, count(*) FROM relygate.visits GROUP BY 1"))
    assert by_day[1] > 2 * by_day[7], "Sundays are quiet"
    night = filled.value("SELECT count(*) FROM relygate.visits WHERE extract(hour FROM requested_at AT TIME ZONE 'Asia/Kolkata') < 5")
    assert 0 < night < 100


def test_every_foreign_key_and_check_holds(filled):
    keys = filled.run("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('f', 'c') AND conrelid = ANY (%s::regclass[])",
                      [f"relygate.{table}" for table in TABLES])
    assert len(keys) > 20
    with taken_back(filled) as cursor:
        for table, name in keys:
            cursor.execute("UPDATE pg_constraint SET convalidated = false WHERE conname = %s AND conrelid = %s::regclass", (name, table))
            cursor.execute(f'ALTER TABLE {table} VALIDATE CONSTRAINT "{name}"')
    assert filled.run("SELECT * FROM relygate.validate_schema()") == []


def test_no_visitor_is_at_two_visits_at_once(filled):
    assert filled.value("""SELECT count(*) FROM (SELECT requested_at < lag(CASE WHEN state = 'checked_out' THEN checked_out_at ELSE updated_at END)
        OVER (PARTITION BY visitor_id ORDER BY requested_at) AS is_early FROM relygate.visits) v WHERE is_early""") == 0


def retell(cursor, visit):
    """Lives a visit under all triggers: INSERT, then the UPDATEs that its states need."""
    born = {**visit, "checked_in_at": None, "checked_in_by": None, "checked_out_at": None, "checked_out_by": None, "gate_out_id": None,
            "is_forced": False, "is_automatic": False, "state": "pending"}
    columns = list(born)
    cursor.execute(f"INSERT INTO relygate.visits ({', '.join(columns)}) VALUES ({', '.join(f'%({column})s' for column in columns)})", born)
    if visit["checked_in_at"]:
        cursor.execute("UPDATE relygate.visits SET state = 'checked_in', checked_in_at = %(checked_in_at)s, checked_in_by = %(checked_in_by)s WHERE id = %(id)s", visit)
    if visit["state"] not in ("pending", "checked_in"):
        cursor.execute("UPDATE relygate.visits SET state = %(state)s, checked_out_at = %(checked_out_at)s, checked_out_by = %(checked_out_by)s, "
                       "gate_out_id = %(gate_out_id)s, is_forced = %(is_forced)s, is_automatic = %(is_automatic)s WHERE id = %(id)s", visit)


def read(cursor, table, condition):
    cursor.execute(f"SELECT * FROM relygate.{table} WHERE tenant_id = relygate.current_tenant() AND {condition} ORDER BY id")
    return [dict(zip([column.name for column in cursor.description], row)) for row in cursor.fetchall()]


def test_visits_can_be_lived_again_under_all_rules(filled, tenant):
    with taken_back(filled) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
        sample = read(cursor, "visits", "(hashtext(id::text) % 10 = 0 OR state <> 'checked_out')")
        assert len(sample) > 150
        cursor.execute("DELETE FROM relygate.visits WHERE id = ANY (%s::uuid[])", ([visit["id"] for visit in sample],))
        for visit in sorted(sample, key=lambda visit: visit["requested_at"]):
            retell(cursor, visit)
        again = {visit["id"]: visit for visit in read(cursor, "visits", "true")}
        for visit in sample:
            mine = again[visit["id"]]
            assert {**mine, "updated_at": None, "updated_by": None} == {**visit, "updated_at": None, "updated_by": None}


@pytest.mark.parametrize("table, freed", [
    ("sites", ()), ("gates", ("site_id",)), ("locations", ("site_id", "parent_id")), ("hosts", ("location_id",)),
    ("visitors", ("category_id", "unit_id")), ("users", ("role_id",))])
def test_texts_have_the_form_that_the_triggers_give(filled, tenant, table, freed):
    """Copies them under the triggers into another tenant: nothing is refused, nothing is normalised."""
    with taken_back(filled) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
        found = read(cursor, table, "created_at < now() - interval '1 day'")
        assert found
        cursor.execute("SELECT id FROM relygate.create_tenant('COPIED', 'Copied', 'school', 'Asia/Kolkata', 'IN')")
        other = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (other,))
        links = {"site_id": "sites", "category_id": "visitor_categories", "role_id": "roles"}
        for row in found:
            copied = {**row, "tenant_id": other}
            for column in freed:
                copied[column] = None
                if column in links and row[column]:
                    cursor.execute(f"SELECT id FROM relygate.{links[column]} WHERE tenant_id = relygate.current_tenant() LIMIT 1")
                    copied[column] = cursor.fetchone()[0]
            if table in ("gates", "locations"):    # of several sites, whose names are unique at each
                cursor.execute("INSERT INTO relygate.sites (name) VALUES (%s) RETURNING id", (f"Site of {row['id']}",))
                copied["site_id"] = cursor.fetchone()[0]
            columns = list(copied)
            cursor.execute(f"INSERT INTO relygate.{table} ({', '.join(columns)}) VALUES ({', '.join(f'%({column})s' for column in columns)})", copied)
            kept = read(cursor, table, f"id = '{row['id']}'")[0]
            ignored = {column: None for column in ("updated_at", "updated_by", "tenant_id", *freed)}
            assert {**kept, **ignored} == {**row, **ignored}


def test_the_same_seed_gives_the_same_rows_and_another_others(filled, cluster, template):
    made = rows(filled, "MADE")
    for seed, same in (("1", True), ("2", False)):
        second = copy_of_template(cluster, f"{filled.name}_{seed}", template)
        try:
            fill(second, "--tenant", "MADE", "--visits", "3000", "--seed", seed)
            assert (rows(second, "MADE") == made) is same
        finally:
            cluster.run(f'DROP DATABASE "{second.name}" WITH (FORCE)')


def test_many_rows_leave_all_indexes_as_they_were(cluster, template, filled):
    second = copy_of_template(cluster, f"{filled.name}_many", template)
    indexes = ("SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index "
               "WHERE indrelid IN ('relygate.visits'::regclass, 'relygate.visitors'::regclass) ORDER BY 1")
    try:
        before = second.run(indexes)
        fill(second, "--tenant", "MANY", "--visits", "50000")
        assert second.run(indexes) == before
        assert second.run("SELECT * FROM relygate.validate_schema()") == []
    finally:
        cluster.run(f'DROP DATABASE "{second.name}" WITH (FORCE)')


def test_a_tenant_with_visits_is_left_alone(filled):
    assert "has visits already" in fill(filled, "--tenant", "MADE", "--visits", "10", expected=1)
    assert filled.value("SELECT count(*) FROM relygate.visits") == 3000


def test_whoever_enters_after_midnight_takes_no_badge_of_the_day_that_begins(monkeypatch):
    """A million visits met it, three thousand do not: many visits of few days at one site that asks the host."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    from filling import calendar
    from filling.copying import NULL
    from filling.people import People
    from filling.visits import VISIT_COLUMNS, Visits

    chance, until = random.Random("1/MADE"), datetime.datetime.fromisoformat(UNTIL)
    nothing = bytes(16)
    site = types.SimpleNamespace(id=nothing, asks_host=True, hosts=[(nothing, nothing)], gates_in=[nothing], gates_out=[nothing])
    visits = Visits(nothing, "MADE", [site], [nothing], [nothing], [nothing], People("IN"), chance, int(until.timestamp() * 1000))
    visits.prepare(50_000, calendar.days_of(50_000, 10 / 365.25, until, zoneinfo.ZoneInfo("Asia/Kolkata"), chance))
    badges = [row[VISIT_COLUMNS.index("badge_day")] + row[VISIT_COLUMNS.index("badge_no")] for row in visits.rows()
              if row[VISIT_COLUMNS.index("checked_in_at")] != NULL]
    assert len(badges) > 40_000 and len(set(badges)) == len(badges)
