"""occupancy_at() against a replay of all events, history_of() against what was written. Sites in two zones, groups that shrink and grow, forced
and automatic check-outs, corrections of times, and another tenant beside."""
import datetime
import random

import psycopg2
import pytest

from ledger import add_visitors, rows, transaction, write

START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
STAYS = [datetime.timedelta(minutes=minutes) for minutes in (0, 1, 29, 30, 31, 119, 120, 121, 479, 480, 481, 2879, 2880, 2881, 10000, 100000)]


@pytest.fixture(scope="module")
def site(database, tenants):
    write(database, tenants.north, "INSERT INTO relygate.sites (name, time_zone) VALUES ('Overseas', 'America/New_York')")
    return [row[0] for row in write(database, tenants.north, "SELECT id FROM relygate.sites ORDER BY name")]


def fill(database, tenant, sites, seed, count=600):
    """Visits with their events, written as rows by hand so that their times can be any; the events are what the test replays."""
    chance = random.Random(seed)
    visitors = iter(add_visitors(database, tenant, count))
    events = []
    with transaction(database, options="-c session_replication_role=replica") as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
        for visitor in visitors:
            where, people = chance.choice(sites), chance.randint(1, 5)
            came = START + datetime.timedelta(minutes=chance.randrange(60 * 24 * 60))
            stay = chance.choice(STAYS) + datetime.timedelta(microseconds=chance.choice((0, 0, 1)))
            gone = None if chance.random() < 0.05 else came + stay
            cursor.execute("INSERT INTO relygate.visits (site_id, visitor_id, state, requested_at, checked_in_at, checked_out_at, group_size, is_forced, is_automatic) "
                           "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
                           (where, visitor, "checked_out" if gone else "checked_in", came, came, gone, people, chance.random() < 0.2, chance.random() < 0.2))
            visit = cursor.fetchone()[0]
            events.append((where, came, people))
            if gone:
                events.append((where, gone, -people))
            # Some of the group left before, or joined.
            for _ in range(chance.choice((0, 0, 0, 1, 2))):
                left = came + ((gone or came + stay) - came) * chance.random()
                change = chance.choice((1, 2, -1))
                cursor.execute("INSERT INTO relygate.visit_departures (visit_id, site_id, checked_in_at, left_at, people) VALUES (%s, %s, %s, %s, %s)",
                               (visit, where, came, left, change))
                events += [(where, came, change), (where, left, -change)]
    return events


def replay(events, site, instant):
    return sum(people for where, at, people in events if where == site and at <= instant)


@pytest.mark.parametrize("seed", [1, 2])
def test_occupancy_equals_a_replay_at_a_thousand_instants(seed, cluster, template, request):
    from conftest import Tenants, copy_of_template
    database = copy_of_template(cluster, f"test_travel_{seed}", template)
    request.addfinalizer(lambda: cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)'))
    tenants = Tenants(database)
    write(database, tenants.north, "INSERT INTO relygate.sites (name, time_zone) VALUES ('Overseas', 'America/New_York')")
    sites = [row[0] for row in write(database, tenants.north, "SELECT id FROM relygate.sites")]
    souths = [row[0] for row in write(database, tenants.south, "SELECT id FROM relygate.sites")]
    events = fill(database, tenants.north, sites, seed)
    fill(database, tenants.south, souths, seed + 100, 100)
    chance = random.Random(seed)
    edges = [at + datetime.timedelta(microseconds=step) for _, at, _ in chance.sample(events, 200) for step in (-1, 0, 1)]
    instants = edges + [START + datetime.timedelta(minutes=chance.uniform(-1000, 60 * 24 * 60 + 110000)) for _ in range(400)]
    asked = [(chance.choice(sites), instant) for instant in instants]
    assert len(asked) == 1000
    with transaction(database) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true); SET LOCAL ROLE relygate_api; SET LOCAL timezone = 'Pacific/Auckland'", (tenants.north,))
        found = rows(cursor, "SELECT relygate.occupancy_at(q.site, q.instant) FROM unnest(%s::uuid[], %s::timestamptz[]) WITH ORDINALITY q (site, instant, place) ORDER BY place",
                     [site for site, _ in asked], [instant for _, instant in asked])
        wrong = [(site, instant, got, replay(events, site, instant)) for (site, instant), (got,) in zip(asked, found) if got != replay(events, site, instant)]
        assert wrong == []
        assert sum(got > 0 for got, in found) > 500, "mostly empty sites prove nothing"
        assert rows(cursor, "SELECT relygate.occupancy_at(%s, now())", souths[0]) == [(None,)], "another tenant's site"


@pytest.mark.parametrize("name, longer, window", [("30m", None, "00:30:00"), ("2h", "00:30:00", "02:00:00"), ("8h", "02:00:00", "08:00:00"), ("48h", "08:00:00", "48:00:00")])
def test_each_length_of_stay_is_read_over_its_own_window(name, longer, window, crowded, tenants, site):
    length = "checked_out_at - checked_in_at"
    with transaction(crowded) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true); SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL ROLE relygate_api", (tenants.north,))
        cursor.execute(f"PREPARE stays(uuid, uuid, timestamptz) AS SELECT sum(group_size) FROM relygate.visits WHERE tenant_id = $1 AND site_id = $2 AND {length} <= '{window}'::interval "
                       + (f"AND {length} > '{longer}'::interval " if longer else "")
                       + f"AND checked_in_at > $3 - '{window}'::interval AND checked_in_at <= $3 AND checked_out_at > $3")
        plan = "\n".join(line for line, in rows(cursor, f"EXPLAIN EXECUTE stays('{tenants.north}', '{site[0]}', now())"))
    assert f"Index Only Scan using visits_stays_{name}" in plan and "checked_in_at > ($3 -" in plan.split("Index Cond")[1].splitlines()[0], plan


@pytest.fixture(scope="module")
def crowded(database, tenants, site):
    """Enough visits that the planner has a choice."""
    visitor = add_visitors(database, tenants.north, 1)[0]
    with transaction(database, options="-c session_replication_role=replica") as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("INSERT INTO relygate.visits (site_id, visitor_id, state, checked_in_at, checked_out_at) SELECT %s, %s, 'checked_out', came, came + stays "
                       "FROM (SELECT timestamptz '2025-01-01Z' + i * interval '7 minutes' AS came, ('{15,60,300,1000}'::int[])[1 + i %% 4] * interval '1 minute' AS stays "
                       "FROM generate_series(1, 8000) i) x", (site[1], visitor))
    database.run("VACUUM ANALYZE relygate.visits")
    return database


def test_what_the_product_does_is_seen_at_its_time(database, tenants, site):
    """Through the product's own functions: a group comes, some leave, the rest is checked out by force."""
    where = site[0]
    visitor = add_visitors(database, tenants.north, 1)[0]
    visit = write(database, tenants.north, "INSERT INTO relygate.visits (site_id, visitor_id, state, group_size) VALUES (%s, %s, 'checked_in', 5) RETURNING id", where, visitor)[0][0]
    came = database.value("SELECT checked_in_at FROM relygate.visits WHERE id = %s", visit)
    write(database, tenants.north, "SELECT * FROM relygate.check_out(id => %s, group_size => 2)", visit)
    left, = [row[0] for row in database.run("SELECT left_at FROM relygate.visit_departures WHERE visit_id = %s", visit)]
    write(database, tenants.north, "SELECT * FROM relygate.check_out(id => %s, is_forced => true)", visit)
    gone = database.value("SELECT checked_out_at FROM relygate.visits WHERE id = %s", visit)
    tick = datetime.timedelta(microseconds=1)
    for instant, people in ((came - tick, 0), (came, 5), (left - tick, 5), (left, 3), (gone - tick, 3), (gone, 0)):
        assert write(database, tenants.north, "SELECT relygate.occupancy_at(%s, %s)", where, instant) == [(people,)], instant
        if instant != gone:
            assert write(database, tenants.north, "SELECT inside, open_visits FROM relygate.get_site_occupancy(%s, %s)", where, instant.isoformat()) == [(people, None)]
    # A DBA who corrects the check-in moves the departure with it.
    earlier = came - datetime.timedelta(hours=1)
    with transaction(database) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("UPDATE relygate.visits SET checked_in_at = %s WHERE id = %s", (earlier, visit))
    assert write(database, tenants.north, "SELECT relygate.occupancy_at(%s, %s)", where, earlier) == [(5,)]


def test_the_future_is_refused(database, tenants, site):
    with pytest.raises(psycopg2.Error) as refused:
        write(database, tenants.north, "SELECT * FROM relygate.get_site_occupancy(%s, '2999-01-01T00:00:00Z')", site[0])
    assert refused.value.pgcode == "RG400"
    assert write(database, tenants.north, "SELECT * FROM relygate.get_site_occupancy(relygate.uuid_v7(), '2026-01-01T00:00:00Z')") == []


def test_history_rebuilds_each_version(database, tenants):
    user = write(database, tenants.north, "SELECT id FROM relygate.users WHERE user_name = 'guard'")[0][0]
    written = []
    host = None
    steps = ["INSERT INTO relygate.gates (site_id, name) SELECT id, 'Old' FROM relygate.sites ORDER BY name LIMIT 1 RETURNING id",
             "UPDATE relygate.gates SET name = 'New' WHERE id = '{0}'", "UPDATE relygate.gates SET direction = 'in', name = 'New \"one\"' WHERE id = '{0}'",
             "DELETE FROM relygate.gates WHERE id = '{0}'"]
    for number, step in enumerate(steps):
        with transaction(database) as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true), set_config('app.user_id', %s, true), set_config('app.request_id', %s, true)",
                           (tenants.north, user, f"step-{number}"))
            cursor.execute("SET LOCAL ROLE relygate_api")
            cursor.execute(step.format(host))
            if number == 0:
                host = cursor.fetchone()[0]
            written.append(rows(cursor, "SELECT to_jsonb(g) - '{tenant_id,id,created_at,updated_at,created_by,updated_by,name_key}'::text[] FROM relygate.gates g WHERE id = %s", host))
    versions = write(database, tenants.north, "SELECT valid_from, valid_until, user_id, user_name, request_id, action, row_as_json, is_complete "
                     "FROM relygate.history_of('gates', %s)", host)
    assert [version[5] for version in versions] == ["insert", "update", "update", "delete"]
    assert [version[1] for version in versions] == [version[0] for version in versions[1:]] + [None]
    assert {version[2:4] for version in versions} == {(user, "guard")} and [version[4] for version in versions] == [f"step-{number}" for number in range(4)]
    without_nulls = [{key: value for key, value in row[0][0].items() if value is not None} if row else None for row in written]
    assert [version[6] for version in versions] == without_nulls
    assert all(version[7] for version in versions)
    assert write(database, tenants.south, "SELECT count(*) FROM relygate.history_of('gates', %s)", host) == [(0,)], "another tenant's row"
    assert write(database, tenants.north, "SELECT count(*) FROM relygate.audit_history('gates', %s)", host) == [(4,)]
    with pytest.raises(psycopg2.Error) as refused:
        write(database, tenants.south, "SELECT relygate.audit_history('gates', %s)", host)
    assert refused.value.pgcode == "RG404"


def test_an_erased_version_says_so(database, tenants):
    visitor = add_visitors(database, tenants.north, 1, "To be erased")[0]
    with transaction(database) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("SELECT relygate.erase_person(%s, 'test')", (visitor,))
    write(database, tenants.north, "UPDATE relygate.visitors SET first_name = 'After' WHERE id = %s", visitor)
    assert write(database, tenants.north, "SELECT action, row_as_json, is_complete FROM relygate.history_of('visitors', %s)", visitor) == [
        ("insert", {}, False), ("update", {"first_name": "After"}, False)]


def test_over_http(database, tenants, admin, guard, south, site):
    visitor = add_visitors(database, tenants.north, 1)[0]
    answer = admin.get(f"/api/audit/history?table=visitors&id={visitor}")
    assert answer.status == 200, answer.text
    version, = answer.json["data"]
    assert version["action"] == "insert" and version["rowAsJson"]["first_name"] == "Visitor" and version["validUntil"] is None
    assert south.get(f"/api/audit/history?table=visitors&id={visitor}").status == 404
    for table in ("pg_authid", "bogus", "login_attempts", "Visitors"):
        unknown, same = admin.get(f"/api/audit/history?table={table}&id={visitor}"), admin.get(f"/api/audit?table={table}")
        assert unknown.status == same.status == 400 and unknown.json["errors"] == same.json["errors"], (unknown, same)
        assert unknown.fields == {"table"} and "visitors" in unknown.json["errors"][0]["message"], unknown
    assert guard.get(f"/api/audit/history?table=visitors&id={visitor}").status == 403
    answer = admin.get(f"/api/sites/{site[0]}/occupancy?at=2026-01-01T00:00:00Z")
    assert answer.status == 200 and answer.json["data"]["inside"] == 0 and answer.json["data"]["openVisits"] is None, answer.text
    assert admin.get(f"/api/sites/{site[0]}/occupancy").json["data"]["openVisits"] is not None
    assert admin.get(f"/api/sites/{site[0]}/occupancy?at=2999-01-01").status == 400
    assert admin.get(f"/api/sites/{site[0]}/occupancy?at=tomorrow").status == 400
    assert south.get(f"/api/sites/{site[0]}/occupancy?at=2026-01-01").status == 404
