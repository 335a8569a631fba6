"""Attack 27 by one who knows the seals: a superuser with the guards off who does not break the chain but continues it, with a drop, an import
or a run of his own; or who sees to it that there is nothing to compare, or that verify_audit() ends before it compares."""
import psycopg2
import pytest

from conftest import Tenants, copy_of_template
from ledger import DISARM, add_visitors, rows, transaction, undone

NORTHS = "(SELECT a.id FROM relygate.audit_log a WHERE a.tenant_id = '{north}' AND a.table_name = 'visitors' ORDER BY a.id LIMIT 1)"
FORGED = """INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, xact, cluster)
            SELECT tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, '5', {cluster}
              FROM relygate.audit_log WHERE id = """ + NORTHS + " RETURNING id"
CHAIN = """SELECT relygate.add_audit_root('{kind}', clock_timestamp(), {bound}, {next}, {entries}, {leaves})"""
# In the seal after the last one of the tenant, the manifest of a query, in a run or an import.
SEAL = """INSERT INTO relygate.audit_seals SELECT s.tenant_id, s.number + 1, now(), s.cluster, s.last_xact, octet_length(m.manifest) / 56, s.digest, m.manifest,
                 relygate.audit_seal_digest(s.tenant_id, s.number + 1, now(), s.cluster, s.last_xact, s.digest, m.manifest)
            FROM relygate.audit_seals s CROSS JOIN LATERAL (SELECT string_agg(relygate.audit_entry(a.tenant_id, a.id, a.occurred_at, a.user_id, a.user_role, a.database_role,
                     a.request_id, a.client_address, a.table_name, a.row_id, a.action, a.changes_digest, a.xact, a.cluster), '') AS manifest
                     FROM relygate.audit_log a WHERE a.id = %s) m
           WHERE s.tenant_id = '{north}' ORDER BY s.number DESC LIMIT 1"""
LAST_LEAF = "(SELECT uuid_send(s.tenant_id) || int8send(s.number) || s.digest FROM relygate.audit_seals s WHERE s.tenant_id = '{north}' ORDER BY s.number DESC LIMIT 1)"
RUN = CHAIN.format(kind="seal", bound="pg_current_xact_id()", next="pg_current_xact_id()", entries=1, leaves=LAST_LEAF)


@pytest.fixture(scope="module")
def sealed(cluster, template):
    made = copy_of_template(cluster, "test_forged_records", template)
    made.tenants = Tenants(made)
    made.run("SELECT relygate.make_audit_partitions(-1)")
    for number in range(2):
        for tenant in (made.tenants.north, made.tenants.south):
            add_visitors(made, tenant, 3, f"Run {chr(65 + number)}")
        made.seal()
    yield made
    cluster.run('DROP DATABASE "test_forged_records" WITH (FORCE)')


def seen(cursor):
    """All findings, tenants and rows as text."""
    return rows(cursor, "SELECT finding, tenant_id::text, id::text FROM relygate.verify_audit()")


def attack(cursor, sql, tenants, *arguments):
    cursor.execute(sql.format(north=tenants.north, south=tenants.south), arguments or None)
    return cursor.fetchall() if cursor.description else None


@pytest.fixture
def attacker(sealed):
    with undone(sealed) as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'; " + DISARM.replace("%%", "%"))
        yield cursor


def record(**changes):
    said = {"month": "m.month", "partition": "'relygate.audit_log_' || replace(m.month, '-', '_')", "from": "m.begins", "to": "m.begins + interval '1 month'",
            "entries": "m.entries", "by": "'postgres'", **changes}
    return "(SELECT convert_to(json_build_object(" + ", ".join(f"'{key}', {value}" for key, value in said.items()) + """)::text, 'UTF8')
        FROM (SELECT to_char(now(), 'YYYY-MM') AS month, date_trunc('month', now()) AS begins, (SELECT sum(s.entries) FROM relygate.audit_seals s) AS entries) m)"""


ARCHIVES = {
    "as the attacker had it": record(month="'2026-01'", partition="'relygate.audit_log_2026_01'", **{"from": "clock_timestamp()", "to": "clock_timestamp()"}, entries="1"),
    "another partition": record(partition="'relygate.audit_log_2026_01'"),
    "later than its month begins": record(**{"from": "m.begins + interval '1 us'"}),
    "before its month ends": record(to="m.begins + interval '27 days'"),
    "a month that is not over": record(),
    "fewer entries": record(entries="m.entries - 1"),
    "no JSON": "'xx'",
    "no UTF-8": "'\\xff'",
    "JSON without end": "convert_to(repeat('[', 1000000), 'UTF8')",
    "no month": record(month="'0000-01'"),
}


OF_A_MONTH = pytest.mark.defence("archive-of-a-month")
BY_WHAT = {name: pytest.mark.defence("survives-archives") for name in ("no JSON", "no UTF-8", "JSON without end", "no month")} | {
    "fewer entries": pytest.mark.defence("finds-false-archives", "archive-is-whole"), "a month that is not over": pytest.mark.defence("finds-early-archives", "archive-is-whole")}
SAID = {"fewer entries": "the seals before it have", "a month that is not over": "was not over"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=BY_WHAT.get(name, OF_A_MONTH)) for name in ARCHIVES])
@pytest.mark.defence("finds-removed")
def test_a_drop_that_cannot_have_been(name, sealed, attacker):
    """One row is taken, and the log says that a month was dropped."""
    (victim,), = rows(attacker, "SELECT " + NORTHS.format(north=sealed.tenants.north) + "::text")
    entries = "1" if name == "as the attacker had it" else "(SELECT sum(s.entries) FROM relygate.audit_seals s)"
    attack(attacker, CHAIN.format(kind="archive", bound="'0'", next="'0'", entries=entries, leaves=ARCHIVES[name]), sealed.tenants)
    attacker.execute("DELETE FROM relygate.audit_log WHERE id = %s", (victim,))
    assert ("removed", sealed.tenants.north, victim) in seen(attacker)
    said = rows(attacker, "SELECT detail FROM relygate.verify_audit() WHERE finding = 'archived_wrongly'")
    assert [detail for detail, in said if SAID.get(name, "is no record of a month") in detail], said


@pytest.mark.defence("archive-is-whole", "finds-removed")
def test_a_drop_of_a_month_whose_rows_are_there(sealed, attacker):
    """Also when that month is over: a drop takes all of it."""
    attacker.execute("SELECT relygate.make_audit_partitions(-1); " + DISARM.replace("%%", "%"))    # making one arms the others
    attacker.execute("DELETE FROM relygate.audit_log; DELETE FROM relygate.audit_seals; DELETE FROM relygate_global.audit_roots")
    attacker.execute("INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, xact, cluster) "
                     "SELECT relygate.uuid_v7(), date_trunc('month', now()) - interval '1 day', 'x', 'visits', relygate.uuid_v7(), 'insert', '{}', s, "
                     "relygate.audit_changes_digest(s, '{}'), '5', relygate.cluster_identifier() FROM (SELECT relygate.random_bytes(16) s FROM generate_series(1, 4)) x RETURNING id")
    victim = str(attacker.fetchone()[0])
    attacker.execute("SELECT relygate.seal_audit()")
    last_month = record().replace("now()", "now() - interval '1 month'")
    attack(attacker, CHAIN.format(kind="archive", bound="'0'", next="'0'", entries=4, leaves=last_month), sealed.tenants)
    assert [word for word, _, _ in seen(attacker)] == ["archived"], "read back"
    attacker.execute("DELETE FROM relygate.audit_log WHERE id = %s", (victim,))
    assert sorted((word, row) for word, _, row in seen(attacker)) == [("archived", None), ("removed", victim)]
    attacker.execute("DELETE FROM relygate.audit_log")
    assert [word for word, _, _ in seen(attacker)] == ["archived"], "all of it"


@pytest.mark.defence("import-once")
def test_nothing_is_brought_in_to_a_tenant_that_is_here(sealed, attacker):
    attack(attacker, FORGED.format(cluster="4711", north="{north}"), sealed.tenants)
    with pytest.raises(psycopg2.Error) as refused:
        attack(attacker, "SELECT relygate.seal_imported('{north}')", sealed.tenants)
    assert refused.value.pgcode == "55000"


def forge_and_seal(attacker, tenants, cluster="4711"):
    (forged,), = attack(attacker, FORGED.format(cluster=cluster, north="{north}"), tenants)
    attack(attacker, SEAL, tenants, forged)
    return forged


@pytest.mark.defence("finds-late-imports")
def test_an_import_into_a_tenant_that_is_here(sealed, attacker):
    """As seal_imported() would, were it not for its refusal."""
    forged = forge_and_seal(attacker, sealed.tenants)
    attack(attacker, CHAIN.format(kind="import", bound="'0'", next="'0'", entries=1, leaves=LAST_LEAF), sealed.tenants)
    north = sealed.tenants.north
    assert sorted(seen(attacker), key=str) == sorted([("imported", north, None), ("imported_wrongly", north, None), ("imported_wrongly", north, forged)], key=str)


@pytest.mark.parametrize("origin", ["4711", "relygate.cluster_identifier()"], ids=["of another cluster", "of old"])
@pytest.mark.defence("finds-late-seals")
def test_a_row_that_a_run_before_should_have_sealed(origin, sealed, attacker):
    forged = forge_and_seal(attacker, sealed.tenants, origin)
    attack(attacker, RUN, sealed.tenants)
    assert seen(attacker) == [("sealed_late", sealed.tenants.north, forged)]


@pytest.mark.defence("finds-sealed-twice")
def test_a_row_that_is_sealed_twice(sealed, attacker):
    (again,), = rows(attacker, "SELECT " + NORTHS.format(north=sealed.tenants.north) + "::text")
    attack(attacker, SEAL, sealed.tenants, again)
    attack(attacker, RUN, sealed.tenants)
    assert ("sealed_twice", sealed.tenants.north, again) in seen(attacker)


@pytest.mark.defence("finds-named-twice")
def test_a_seal_under_two_roots(sealed, attacker):
    entries = "(SELECT entries FROM relygate.audit_seals WHERE tenant_id = '{north}' ORDER BY number DESC LIMIT 1)"
    attack(attacker, RUN.replace(", 1, (SELECT", f", {entries}, (SELECT"), sealed.tenants)
    assert {finding[:2] for finding in seen(attacker)} == {("sealed_twice", sealed.tenants.north)}


OF_SEALS, OF_ROOTS = pytest.mark.defence("finds-false-counts-of-seals"), pytest.mark.defence("finds-false-counts-of-roots")
COUNTS = {
    "of a seal": ("UPDATE relygate.audit_seals SET entries = entries + 1 WHERE number = 1 AND tenant_id = '{north}'", "seal_changed", OF_SEALS),
    "of a root": ("UPDATE relygate_global.audit_roots SET entries = entries + 100 WHERE number = 1", "root_changed", OF_ROOTS),
    "of a root without seals": (CHAIN.format(kind="seal", bound="pg_current_xact_id()", next="pg_current_xact_id()", entries=1, leaves="''"), "root_changed", OF_ROOTS),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=mark) for name, (_, _, mark) in COUNTS.items()])
def test_a_number_of_entries_that_is_not_so(name, sealed, attacker):
    sql, word, _ = COUNTS[name]
    attack(attacker, sql, sealed.tenants)
    assert [finding[0] for finding in seen(attacker)] == [word]


# Runs of one's own: rows with whatever transaction and time the attacker gives them, under seals and roots whose digests are right.
ROW = """INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, xact, cluster)
         SELECT tenant_id, {time}, database_role, table_name, row_id, action, changes, salt, changes_digest, {xact}, {cluster}
           FROM relygate.audit_log WHERE id = """ + NORTHS + " RETURNING id::text"
NEXT, OWN = "(SELECT max(next_xact::text::bigint) FROM relygate_global.audit_roots)", "relygate.cluster_identifier()"
# The root of any cluster.
ROOT = """INSERT INTO relygate_global.audit_roots SELECT r.number + 1, 'seal', {time}, {cluster}, {bound}, {next}, {entries}, r.root, {leaves},
                 relygate.audit_root_digest(r.number + 1, 'seal', {time}, {cluster}, {bound}, {next}, r.root, {leaves})
            FROM relygate_global.audit_roots r ORDER BY r.number DESC LIMIT 1"""


def run_of_ones_own(attacker, tenants, row, **root):
    """A row, its seal and its root, all of whose digests are right; returns the row."""
    row = {"time": "clock_timestamp()", "xact": f"{NEXT}::text::xid8", "cluster": OWN, **row}
    (forged,), = attack(attacker, ROW.format(north="{north}", **row), tenants)
    attack(attacker, SEAL.replace("s.cluster, s.last_xact", f"{row['cluster']}, s.last_xact"), tenants, forged)
    said = {"time": "statement_timestamp()", "cluster": OWN, "bound": "pg_current_xact_id()", "next": "pg_current_xact_id()", "entries": 1, "leaves": LAST_LEAF, **root}
    attack(attacker, ROOT.format(**said), tenants)
    return forged


# A month ago: the partition of last month is there.
LONG_AGO = "now() - interval '27 days'"
LAST_ROOT = "(SELECT max(sealed_at) FROM relygate_global.audit_roots)"
EMPTY, TO_COME, BEYOND = pytest.mark.defence("finds-empty-runs"), pytest.mark.defence("finds-runs-to-come"), pytest.mark.defence("finds-runs-beyond-bounds")
OF_OLD, ANOTHER_TIME = pytest.mark.defence("finds-runs-of-old-transactions"), pytest.mark.defence("finds-runs-of-another-time")
CANNOT_BE = {
    "nothing sealed": ({"entries": 0, "leaves": "''"}, "has sealed nothing", EMPTY),
    "a bound to come": ({"bound": "'9000000000000'", "next": "'9000000000000'"}, "has not begun", TO_COME),
    "transactions to come": ({"next": "'9000000000000'"}, "has not begun", TO_COME),
    "a bound beyond what had begun": ({"next": "(pg_current_xact_id()::text::bigint - 1)::text::xid8"}, "its bound is later", BEYOND),
    "transactions of old": ({"bound": "'5'"}, "earlier than those of a run before", OF_OLD),
    "transactions of old and nothing begun": ({"bound": "'1'", "next": "'1'"}, "earlier than those of a run before", OF_OLD),
    "ten years from now": ({"time": "now() + interval '10 years'"}, "still to come", ANOTHER_TIME),
    "never": ({"time": "'infinity'::timestamptz"}, "still to come", ANOTHER_TIME),
    "always": ({"time": "'-infinity'::timestamptz"}, "earlier than a root", ANOTHER_TIME),
    "27 days ago": ({"time": LONG_AGO}, "earlier than a root", ANOTHER_TIME),
    "27 days ago, elsewhere": ({"time": LONG_AGO, "cluster": "42"}, "earlier than a root", ANOTHER_TIME),
    "two minutes before": ({"time": f"{LAST_ROOT} - interval '2 minutes'"}, "earlier than a root", ANOTHER_TIME),
    "an hour before, elsewhere": ({"time": f"{LAST_ROOT} - interval '1 hour'", "cluster": "42"}, "earlier than a root", ANOTHER_TIME),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=mark) for name, (_, _, mark) in CANNOT_BE.items()])
def test_a_run_that_cannot_have_been(name, sealed, attacker):
    root, said, _ = CANNOT_BE[name]
    if name == "nothing sealed":
        attack(attacker, ROOT.format(**{"time": "statement_timestamp()", "cluster": OWN, "bound": "pg_current_xact_id()", "next": "pg_current_xact_id()", **root}), sealed.tenants)
    else:
        run_of_ones_own(attacker, sealed.tenants, {"cluster": root.get("cluster", OWN)}, **root)
    details = [detail for (detail,) in rows(attacker, "SELECT detail FROM relygate.verify_audit() WHERE finding = 'sealed_wrongly'")]
    assert details and all(said in detail for detail in details), details


@pytest.mark.parametrize("root", [{}, {"time": f"{LAST_ROOT} - interval '50 seconds'"}, {"time": f"{LAST_ROOT} - interval '9 minutes'", "cluster": "42"}],
                         ids=["now", "a clock that was set back", "a clock of another machine"])
def test_a_run_that_can_have_been(root, sealed, attacker):
    """Whoever may write everything may write what is right; and nobody is called a forger whose clock was set."""
    run_of_ones_own(attacker, sealed.tenants, {"time": root.get("time", "clock_timestamp()"), "cluster": root.get("cluster", OWN)}, **root)
    assert seen(attacker) == []


def burn(sealed):
    """Transactions since the last run, of which an attacker can choose."""
    for _ in range(8):
        sealed.run("SELECT pg_current_xact_id()")


@pytest.mark.defence("finds-backdated", "backdated-by-all-runs")
def test_a_backdated_row_after_a_run_to_come(sealed, attacker):
    """As the attacker had it: a root that says that more transactions had begun than have."""
    attack(attacker, CHAIN.format(kind="seal", bound="pg_current_xact_id()", next="'9000000000000'", entries=0, leaves="''"), sealed.tenants)
    (row,), = attack(attacker, ROW.format(time=LONG_AGO, xact="pg_current_xact_id()", cluster=OWN, north="{north}"), sealed.tenants)
    assert ("backdated", sealed.tenants.north, row) in seen(attacker)
    attack(attacker, SEAL, sealed.tenants, row)
    attack(attacker, RUN, sealed.tenants)
    assert ("backdated", sealed.tenants.north, row) in seen(attacker)


@pytest.mark.defence("finds-backdated", "backdated-by-all-runs")
def test_a_backdated_row_after_a_run_too_many(sealed, attacker):
    """A run whose numbers could be so, but for that row: it had begun after the run before."""
    burn(sealed)
    attacker.execute("SELECT pg_current_xact_id()")
    run_of_ones_own(attacker, sealed.tenants, {}, bound=f"({NEXT} + 1)::text::xid8")
    row = run_of_ones_own(attacker, sealed.tenants, {"time": f"{LAST_ROOT} - interval '1 day'", "xact": "(SELECT min(bound::text::bigint) + 3 FROM relygate_global.audit_roots WHERE number = 3)::text::xid8"})
    assert seen(attacker) == [("backdated", sealed.tenants.north, row)]


@pytest.mark.defence("finds-backdated", "backdated-by-clusters")
def test_a_backdated_row_of_a_cluster_that_never_was(sealed, attacker):
    row = run_of_ones_own(attacker, sealed.tenants, {"time": LONG_AGO, "xact": "'500'", "cluster": "42"}, cluster="42", bound="'600'", next="'600'")
    assert seen(attacker) == [("backdated", sealed.tenants.north, row)]


@pytest.mark.defence("finds-late-seals")
def test_an_old_row_in_a_run_of_a_cluster_that_never_was(sealed, attacker):
    row = run_of_ones_own(attacker, sealed.tenants, {"time": LONG_AGO, "xact": "'5'"}, cluster="42", bound="'600'", next="'600'")
    assert seen(attacker) == [("sealed_late", sealed.tenants.north, row)]


@pytest.mark.defence("finds-postdated")
def test_a_row_to_come_in_a_seal_to_come(sealed, attacker):
    (row,), = attack(attacker, ROW.format(time="now() + interval '1 day'", xact=f"{NEXT}::text::xid8", cluster=OWN, north="{north}"), sealed.tenants)
    attack(attacker, SEAL.replace("now()", "now() + interval '10 years'"), sealed.tenants, row)
    attack(attacker, RUN, sealed.tenants)
    assert seen(attacker) == [("postdated", sealed.tenants.north, row)]


@pytest.mark.parametrize("leaves", [pytest.param("xx", marks=BY_WHAT["no JSON"]), pytest.param("\\xff", marks=BY_WHAT["no UTF-8"]), "{}"])
@pytest.mark.defence("finds-changed-roots")
def test_a_root_that_cannot_be_read_hides_nothing(leaves, sealed, attacker):
    attack(attacker, CHAIN.format(kind="archive", bound="'0'", next="'0'", entries=0, leaves="'{{}}'"), sealed.tenants)
    attacker.execute("UPDATE relygate_global.audit_roots SET leaves = %s WHERE kind = 'archive'", (leaves,))
    attacker.execute("UPDATE relygate_global.audit_roots SET bound = '3' WHERE number = 1")
    found = rows(attacker, "SELECT finding, substring(detail FROM 'Root \\d+') FROM relygate.verify_audit()")
    (last,), = rows(attacker, "SELECT 'Root ' || max(number) FROM relygate_global.audit_roots")
    assert found.count(("root_changed", "Root 1")) == 1
    assert leaves == "{}" or ("root_changed", last) in found
    assert ("archived_wrongly", last) in found
    # Nor does it keep the guard from saying what it has to say.
    attacker.execute("DO $$ BEGIN EXECUTE 'ALTER EVENT TRIGGER relygate_guard_audit_drop ENABLE ALWAYS'; END $$")
    with pytest.raises(psycopg2.Error) as refused:
        attacker.execute("DO $$ BEGIN EXECUTE 'DROP TABLE relygate.audit_log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'); END $$")
    assert refused.value.pgcode == "42501"


@pytest.mark.defence("finds-changed-roots")
def test_a_bound_that_no_bigint_can_be_hides_nothing(sealed, attacker):
    attacker.execute("UPDATE relygate_global.audit_roots SET bound = '18446744073709551615', next_xact = bound WHERE number = (SELECT max(number) FROM relygate_global.audit_roots)")
    assert seen(attacker) == [("root_changed", None, None)]


@pytest.mark.parametrize("changes", ['{"entries":{"after":"x"}}', '{"entries":{"after":["x"]}}', '{"x":"\\u0000","entries":{"after":["\\u0000"]}}'])
@pytest.mark.defence("survives-erasures", "erasure-on-record")
def test_an_erasure_that_cannot_be_read_hides_nothing(changes, sealed, attacker):
    (victim,), = rows(attacker, "SELECT " + NORTHS.format(north=sealed.tenants.north) + "::text")
    attacker.execute("INSERT INTO relygate.audit_log (tenant_id, database_role, table_name, row_id, action, changes, salt, changes_digest, cluster) "
                     "SELECT tenant_id, database_role, 'audit_log', row_id, 'update', %s::json, salt, relygate.audit_changes_digest(salt, %s::json), cluster "
                     "FROM relygate.audit_log WHERE id = %s", (changes, changes, victim))
    attacker.execute("UPDATE relygate.audit_log SET changes = NULL, salt = NULL WHERE id = %s", (victim,))
    assert seen(attacker) == [("erased_unrecorded", sealed.tenants.north, victim)]


@pytest.mark.defence("survives-workers")
def test_a_log_so_large_that_workers_read_it(sealed, attacker):
    """What catches errors can run in no worker, nor beside one: an erasure or a dropped month would be an error instead of what it is."""
    attacker.execute("INSERT INTO relygate.audit_log (tenant_id, database_role, table_name, row_id, action, changes, salt, changes_digest, cluster) "
                     "SELECT tenant_id, database_role, 'audit_log', row_id, 'update', c, salt, relygate.audit_changes_digest(salt, c), cluster FROM relygate.audit_log "
                     "CROSS JOIN (SELECT '{\"entries\":{\"after\":[]}}'::json AS c) x WHERE id = " + NORTHS.format(north=sealed.tenants.north))
    attack(attacker, CHAIN.format(kind="archive", bound="'0'", next="'0'", entries=0, leaves=record(entries="0")), sealed.tenants)
    attacker.execute("SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0")
    assert "archived_wrongly" in [word for word, _, _ in seen(attacker)]


@pytest.fixture
def still(cluster, template):
    """Sealed three days ago, and never since."""
    made = copy_of_template(cluster, "test_standstill", template)
    with transaction(made) as cursor:
        cursor.execute("SELECT relygate.make_audit_partitions(-1)")
    yield made
    cluster.run('DROP DATABASE "test_standstill" WITH (FORCE)')


@pytest.mark.defence("finds-standstill")
def test_rows_that_wait_too_long_for_a_seal(still):
    wait = """INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, cluster)
              SELECT relygate.uuid_v7(), clock_timestamp() - interval '{}', 'x', 'visits', relygate.uuid_v7(), 'insert', '{{}}', s, relygate.audit_changes_digest(s, '{{}}'),
                     relygate.cluster_identifier() FROM (SELECT relygate.random_bytes(16) s FROM generate_series(1, 2)) x"""
    replica = "-c session_replication_role=replica"
    with transaction(still, options=replica) as cursor:
        cursor.execute(wait.format("2 days"))
    assert still.run("SELECT finding FROM relygate.verify_audit()") == [], "where nothing was ever sealed, nothing stands still"
    with undone(still) as cursor:
        cursor.execute("SELECT relygate.add_audit_root('seal', clock_timestamp() - interval '3 days', '0', pg_current_xact_id(), 0, '')")
        assert rows(cursor, "SELECT detail LIKE '2 entries since%' FROM relygate.verify_audit() WHERE finding = 'unsealed'") == [(True,)]
    still.seal()
    with transaction(still, options=replica) as cursor:
        cursor.execute(wait.format("0 days"))
    assert still.run("SELECT finding FROM relygate.verify_audit()") == []
