"""Seals: each row once, whatever runs beside them, and every change by a superuser is found by name (attack 27)."""
import threading

import psycopg2
import pytest

from conftest import Tenants, copy_of_template, wait_until
from ledger import DISARM, add_visitors, logged_ids, rows, sealed_ids, transaction, undone, verify, write


@pytest.fixture(scope="module")
def sealed(database, tenants):
    """Three runs of both tenants, and rows that are in no seal yet."""
    database.heads = []
    for number in range(3):
        for tenant in (tenants.north, tenants.south):
            add_visitors(database, tenant, 3, f"Run {chr(65 + number)}")
        database.heads.append(database.seal())
    add_visitors(database, tenants.north, 2, "Unsealed")
    return database


def test_each_row_is_sealed_once(sealed):
    assert verify(sealed) == []
    ids = sealed_ids(sealed)
    assert len(ids) == len(set(ids)) == len(logged_ids(sealed)) - 2
    assert sealed.run("SELECT number, kind, entries FROM relygate_global.audit_roots ORDER BY number")[1:] == [(2, "seal", 6), (3, "seal", 6)]
    assert sealed.value("SELECT relygate.audit_head()") == sealed.heads[-1]
    assert [verify(sealed, head) for head in sealed.heads] == [[], [], []]


NORTHS = "tenant_id = 'NORTH' AND table_name = 'visitors'"
LAST = f"(SELECT id FROM relygate.audit_log WHERE {NORTHS} AND changes::text LIKE '%Run C%' ORDER BY id LIMIT 1)"
FORGE = """INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, xact, cluster)
           SELECT tenant_id, {time}, database_role, table_name, row_id, action, changes, salt, changes_digest, {xact}, {cluster}
             FROM relygate.audit_log WHERE id = """ + LAST
TAMPERING = {
    "who": (f"UPDATE relygate.audit_log SET database_role = 'somebody' WHERE id = {LAST}", {"changed"}),
    "user": (f"UPDATE relygate.audit_log SET user_id = id WHERE id = {LAST}", {"changed"}),
    "when": (f"UPDATE relygate.audit_log SET occurred_at = occurred_at + interval '1 microsecond' WHERE id = {LAST}", {"changed"}),
    "which row": (f"UPDATE relygate.audit_log SET row_id = id WHERE id = {LAST}", {"changed"}),
    "action": (f"UPDATE relygate.audit_log SET action = 'delete' WHERE id = {LAST}", {"changed"}),
    "transaction": (f"UPDATE relygate.audit_log SET xact = '1' WHERE id = {LAST}", {"changed"}),
    "changes": (f"UPDATE relygate.audit_log SET changes = '{{}}' WHERE id = {LAST}", {"changed"}),
    "changes that fit": (f"UPDATE relygate.audit_log SET changes = '{{}}', changes_digest = relygate.audit_changes_digest(salt, '{{}}') WHERE id = {LAST}",
                         {"changed"}),
    "tenant": (f"UPDATE relygate.audit_log SET tenant_id = 'SOUTH' WHERE id = {LAST}", {"removed", "added"}),
    "erased by hand": (f"UPDATE relygate.audit_log SET changes = NULL, salt = NULL WHERE id = {LAST}", {"erased_unrecorded"}),
    "deleted": (f"DELETE FROM relygate.audit_log WHERE id = {LAST}", {"removed"}),
    "all deleted": (f"DELETE FROM relygate.audit_log WHERE {NORTHS}", {"removed"}),
    "added": (FORGE.format(time="occurred_at", xact="xact", cluster="cluster"), {"added"}),
    "added under its id": (FORGE.replace("(tenant_id,", "(id, tenant_id,").replace("SELECT tenant_id,", "SELECT id, tenant_id,", 1)
                           .format(time="occurred_at + interval '1 second'", xact="xact", cluster="cluster"), {"changed"}),
    "added for another cluster": (FORGE.format(time="occurred_at", xact="'99999999'", cluster="77"), {"added"}),
    "backdated": (FORGE.format(time="date_trunc('month', now())", xact="pg_current_xact_id()", cluster="cluster"), {"backdated"}),
    "postdated": (FORGE.format(time="now() + interval '1 day'", xact="pg_current_xact_id()", cluster="cluster"), {"postdated"}),
    "of a transaction to come": (FORGE.format(time="clock_timestamp()", xact="'1152921504606846976'", cluster="cluster"), {"postdated"}),
    "a partition detached": ("DO $$ BEGIN EXECUTE 'ALTER TABLE relygate.audit_log DETACH PARTITION relygate.audit_log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'); END $$",
                             {"removed"}),
    "a seal changed": ("UPDATE relygate.audit_seals SET sealed_at = now() WHERE number = 2 AND tenant_id = 'NORTH'", {"seal_changed"}),
    "a manifest changed": ("UPDATE relygate.audit_seals SET manifest = substring(manifest FROM 57) WHERE number = 2 AND tenant_id = 'NORTH'",
                           {"seal_changed", "added"}),
    "a seal renewed": ("UPDATE relygate.audit_seals SET manifest = '', digest = relygate.audit_seal_digest(tenant_id, number, sealed_at, cluster, last_xact, previous, '') "
                       "WHERE number = 3 AND tenant_id = 'NORTH'", {"seal_changed", "added"}),
    "a seal deleted": ("DELETE FROM relygate.audit_seals WHERE number = 3 AND tenant_id = 'NORTH'", {"seal_removed", "added"}),
    "a seal made up": ("INSERT INTO relygate.audit_seals SELECT tenant_id, number + 1, sealed_at, cluster, last_xact, 0, digest, '', "
                       "relygate.audit_seal_digest(tenant_id, number + 1, sealed_at, cluster, last_xact, digest, '') "
                       "FROM relygate.audit_seals WHERE number = 3 AND tenant_id = 'NORTH'", {"seal_unknown"}),
    "a root changed": ("UPDATE relygate_global.audit_roots SET bound = '3' WHERE number = 2", {"root_changed"}),
    "a root deleted": ("DELETE FROM relygate_global.audit_roots WHERE number = 2", {"root_missing", "root_changed", "seal_unknown"}),
}


# Each word that verify_audit() has for it is a defence of its own.
FINDS = {
    "changed": pytest.mark.defence("finds-changed"), "removed": pytest.mark.defence("finds-removed"), "added": pytest.mark.defence("finds-added"),
    "backdated": pytest.mark.defence("finds-backdated"), "postdated": pytest.mark.defence("finds-postdated"),
    "erased_unrecorded": pytest.mark.defence("erasure-on-record"),
    "seal_changed": pytest.mark.defence("finds-changed-seals"), "seal_removed": pytest.mark.defence("finds-removed-seals"),
    "seal_unknown": pytest.mark.defence("finds-unknown-seals"),
    "root_changed": pytest.mark.defence("finds-changed-roots"), "root_missing": pytest.mark.defence("finds-missing-roots"),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[FINDS[word] for word in sorted(words)]) for name, (_, words) in TAMPERING.items()])
def test_what_a_superuser_changes_is_found(name, sealed, tenants):
    sql, expected = TAMPERING[name]
    connection = sealed.connect(autocommit=False)
    try:
        with connection.cursor() as cursor:
            (victim,), = rows(cursor, "SELECT " + LAST.replace("NORTH", tenants.north))
            cursor.execute(DISARM.replace("%%", "%"))
            cursor.execute(sql.replace("NORTH", tenants.north).replace("SOUTH", tenants.south))
            assert cursor.rowcount != 0, "nothing was changed"
            found = rows(cursor, "SELECT tenant_id, id, finding, detail FROM relygate.verify_audit()")
            assert {finding[2] for finding in found} == expected, found
            assert all(finding[3] for finding in found)
            if name in ("who", "user", "when", "which row", "action", "transaction", "changes", "changes that fit", "erased by hand", "deleted"):
                assert {finding[:2] for finding in found} == {(tenants.north, victim)}, "the row is not named"
    finally:
        connection.rollback()
        connection.close()
    assert verify(sealed) == []


@pytest.mark.defence("audit-head")
def test_a_cut_off_tail_shows_against_a_kept_head(sealed, tenants):
    connection = sealed.connect(autocommit=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute(DISARM.replace("%%", "%"))
            cursor.execute("DELETE FROM relygate.audit_log WHERE id IN (SELECT (relygate.audit_manifest(manifest)).id FROM relygate.audit_seals WHERE number = 3)")
            cursor.execute("DELETE FROM relygate.audit_seals WHERE number = 3; DELETE FROM relygate_global.audit_roots WHERE number = 3")
            assert rows(cursor, "SELECT finding FROM relygate.verify_audit()") == [], "what is left is a perfect chain"
            assert rows(cursor, "SELECT finding FROM relygate.verify_audit(%s)", sealed.heads[1]) == []
            assert rows(cursor, "SELECT finding FROM relygate.verify_audit(%s)", sealed.heads[2]) == [("cut_off",)]
            other = "2:" + sealed.heads[2].split(":")[1]
            assert rows(cursor, "SELECT finding FROM relygate.verify_audit(%s)", other) == [("cut_off",)], "another root under the number"
    finally:
        connection.rollback()
        connection.close()
    for wrong in ("2", "3:xyz", sealed.heads[2].upper(), "0:" + "0" * 64):
        with pytest.raises(psycopg2.Error) as refused:
            verify(sealed, wrong)
        assert refused.value.pgcode == "22023"


@pytest.fixture
def apart(cluster, template):
    """A database of one test: where its defence is missing it leaves behind what others would find."""
    made = copy_of_template(cluster, "test_sealing_apart", template)
    made.tenants = Tenants(made)
    yield made
    cluster.run('DROP DATABASE "test_sealing_apart" WITH (FORCE)')


@pytest.mark.defence("seal-bound")
def test_a_transaction_that_still_runs_is_sealed_later(apart):
    database, tenants = apart, apart.tenants
    open_connection = database.connect(autocommit=False)
    cursor = open_connection.cursor()
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
    cursor.execute("INSERT INTO relygate.visitors (first_name) VALUES ('Slow') RETURNING id")
    slow = cursor.fetchone()[0]
    quick = add_visitors(database, tenants.north, 1, "Quick")[0]    # a later transaction that ends first
    database.value("SELECT relygate.seal_audit()")
    open_connection.commit()
    open_connection.close()
    assert verify(database) == []
    database.seal()
    ids = sealed_ids(database)
    for visitor in (slow, quick):
        entry = database.value("SELECT id FROM relygate.audit_log WHERE row_id = %s", visitor)
        assert ids.count(entry) == 1
    assert verify(database) == []


def test_a_rolled_back_transaction_leaves_nothing(database, tenants):
    database.seal()
    connection = database.connect(autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("INSERT INTO relygate.visitors (first_name) VALUES ('Never')")
    connection.rollback()
    connection.close()
    head = database.value("SELECT relygate.audit_head()")
    assert database.seal() == head, "a run without new rows makes no root"


@pytest.mark.defence("seal-lock")
def test_one_sealer_at_a_time_and_writers_go_on(database, tenants):
    add_visitors(database, tenants.north, 1)
    outcome = []

    def seal_too():
        try:
            outcome.append(database.value("SELECT relygate.seal_audit()"))
        except psycopg2.Error as error:     # without the lock both write the same seals, and one of them fails
            outcome.append(error.pgcode)

    with transaction(database) as sealer:
        head = rows(sealer, "SELECT relygate.seal_audit()")[0][0]
        second = threading.Thread(target=seal_too)
        second.start()
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))
        with transaction(database, options="-c lock_timeout=200ms") as writer:
            writer.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.south,))
            writer.execute("INSERT INTO relygate.visitors (first_name) VALUES ('Meanwhile')")
    second.join(60)
    # It sees what the first has sealed; of what was written meanwhile, whatever had ended when it began to look.
    assert len(outcome) == 1 and outcome[0].split(":")[0] in (head.split(":")[0], str(int(head.split(":")[0]) + 1)), outcome
    ids = sealed_ids(database)
    assert len(ids) == len(set(ids))
    assert verify(database) == []


@pytest.mark.defence("seal-read-committed")
def test_only_under_read_committed(database):
    # A snapshot from before the lock would not see the last root, and seal its rows again.
    with pytest.raises(psycopg2.Error) as refused, transaction(database) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT relygate.seal_audit()")
    assert refused.value.pgcode == "25001"


@pytest.mark.defence("seal-hidden")
def test_a_partition_that_hides_its_rows_is_an_error(database):
    with undone(database) as cursor:
        cursor.execute(DISARM.replace("%%", "%"))
        cursor.execute("DO $$ BEGIN EXECUTE 'DROP POLICY sealing ON relygate.audit_log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'); END $$")
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute("SELECT relygate.seal_audit()")
    assert refused.value.pgcode == "55000"


@pytest.mark.defence("revoked-from-public", "audit-no-members")
def test_who_may_seal_and_verify(sealed, tenants):
    for role in ("relygate_api", "relygate_shim", "relygate_reporting"):
        for call in ("relygate.seal_audit()", "relygate.verify_audit()", "relygate.audit_head()", f"relygate.seal_imported('{tenants.north}')",
                     "relygate.begin_sealing()", "relygate.add_audit_root('seal', now(), '1', '1', 0, '')"):
            with pytest.raises(psycopg2.Error) as refused, transaction(sealed) as cursor:
                cursor.execute(f"SET LOCAL ROLE {role}")
                cursor.execute(f"SELECT {call}")
            assert refused.value.pgcode == "42501", f"{role} {call}"
    with transaction(sealed) as cursor:
        cursor.execute("SET LOCAL ROLE relygate_owner")
        assert rows(cursor, "SELECT relygate.audit_head()") == [(sealed.value("SELECT relygate.audit_head()"),)]
    assert sealed.run("SELECT finding FROM relygate.verify_audit()", user="relygate_backup") == []
    # Whom policies hold sees no rows that he could compare.
    with pytest.raises(psycopg2.Error) as refused, transaction(sealed) as cursor:
        cursor.execute("GRANT EXECUTE ON FUNCTION relygate.verify_audit(text, int), relygate.verify_audit_chain(text), relygate.verify_audit_rows() TO relygate_owner; SET LOCAL ROLE relygate_owner")
        cursor.execute("SELECT * FROM relygate.verify_audit()")
    assert refused.value.pgcode == "42501"


@pytest.mark.defence("audit-partitions-closed", "audit-no-members")
def test_a_tenant_reads_its_own_seals_alone(sealed, tenants):
    assert {row[0] for row in write(sealed, tenants.north, "SELECT tenant_id FROM relygate.audit_seals")} == {tenants.north}
    with pytest.raises(psycopg2.Error) as refused:
        write(sealed, tenants.north, "SELECT FROM relygate.audit_seals_all")
    assert refused.value.pgcode == "42501"
    with pytest.raises(psycopg2.Error) as refused:
        write(sealed, tenants.north, "SELECT FROM relygate_global.audit_roots")
    assert refused.value.pgcode == "42501"


def test_many_rows_of_a_tenant_make_several_seals(database, tenants):
    database.seal()
    before = database.value("SELECT max(number) FROM relygate.audit_seals WHERE tenant_id = %s", tenants.south)
    add_visitors(database, tenants.south, 20001, "Crowd")
    database.seal()
    assert database.run("SELECT entries FROM relygate.audit_seals WHERE tenant_id = %s AND number > %s ORDER BY number", tenants.south, before) == [(20000,), (1,)]
    assert verify(database) == []
