"""erase_person(): the values go, the chain stays valid, and each erasure is on record itself."""
import psycopg2
import pytest

from ledger import rows, transaction, undone, verify, write


@pytest.fixture(scope="module")
def person(database, tenants):
    visitor, = write(database, tenants.north, "INSERT INTO relygate.visitors (first_name, mobile) VALUES ('Leela', '9845012399') RETURNING id")[0]
    write(database, tenants.north, "INSERT INTO relygate.visits (site_id, visitor_id, state, remark, vehicle_no) "
          "SELECT id, %s, 'checked_in', 'Asks for Leela', 'KA03MH4821' FROM relygate.sites", visitor)
    write(database, tenants.north, "UPDATE relygate.visits SET state = 'checked_out' WHERE visitor_id = %s", visitor)
    write(database, tenants.north, "INSERT INTO relygate.visitors (first_name) VALUES ('Someone Else')")
    database.seal()
    write(database, tenants.north, "UPDATE relygate.visitors SET first_name = 'Erased', mobile = NULL WHERE id = %s", visitor)
    return visitor


def erase(database, tenant, person, reason="Asked for it"):
    with transaction(database) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true), set_config('app.request_id', 'erase-1', true)", (tenant,))
        return rows(cursor, "SELECT relygate.erase_person(%s, %s)", person, reason)[0][0]


def test_values_go_and_every_seal_stays_valid(database, tenants, person):
    head = database.value("SELECT relygate.audit_head()")
    count = database.value("SELECT count(*) FROM relygate.audit_log")
    # Two entries of the person, and the check-in with its remark; the check-out names nothing personal.
    assert erase(database, tenants.north, person) == 3
    left = database.run("SELECT table_name, action, changes IS NULL, salt IS NULL FROM relygate.audit_log WHERE row_id = %s AND table_name = 'visitors' "
                        "ORDER BY occurred_at", person)
    assert left == [("visitors", "insert", True, True), ("visitors", "update", True, True)]
    text = database.value("SELECT string_agg(changes::text, ' ') FROM relygate.audit_log")
    assert "Leela" not in text and "9845012399" not in text and "KA03MH4821" not in text and "Someone Else" in text
    assert database.value("SELECT count(*) FROM relygate.audit_log WHERE table_name = 'visits' AND changes::text LIKE '%%checked_out%%'") == 1
    assert database.value("SELECT count(*) FROM relygate.audit_log") == count + 1
    assert verify(database) == [] and verify(database, head) == []
    database.seal()
    assert verify(database, head) == []


def test_the_erasure_is_on_record(database, tenants, person):
    (user, role, request, action, reason, entries), = database.run(
        "SELECT user_id, database_role, request_id, action, changes #>> '{reason,after}', json_array_length(changes #> '{entries,after}') "
        "FROM relygate.audit_log WHERE table_name = 'audit_log' AND row_id = %s", person)
    assert (user, role, request, action, reason, entries) == (None, "postgres", "erase-1", "update", "Asked for it", 3)
    assert erase(database, tenants.north, person) == 0, "nothing is left to erase"
    assert database.value("SELECT count(*) FROM relygate.audit_log WHERE table_name = 'audit_log'") == 1


def test_another_tenants_person_stays(database, tenants, person):
    before = database.value("SELECT count(*) FROM relygate.audit_log WHERE changes IS NULL")
    other, = write(database, tenants.south, "INSERT INTO relygate.visitors (first_name) VALUES ('Karim') RETURNING id")[0]
    assert erase(database, tenants.north, other) == 0
    assert database.value("SELECT count(*) FROM relygate.audit_log WHERE changes IS NULL") == before


@pytest.mark.defence("revoked-from-public", "audit-no-members")
def test_who_may_erase(database, tenants, person):
    for role in ("relygate_api", "relygate_reporting", "relygate_platform"):
        with pytest.raises(psycopg2.Error) as refused, transaction(database) as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
            cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute("SELECT relygate.erase_person(%s, 'x')", (person,))
        assert refused.value.pgcode == "42501"
    with pytest.raises(psycopg2.Error) as refused:
        database.run("SELECT relygate.erase_person(%s, 'x')", person)
    assert refused.value.pgcode == "RG401"
    for reason in ("", "   ", None, "x" * 501):
        with pytest.raises(psycopg2.Error) as refused:
            erase(database, tenants.north, person, reason)
        assert refused.value.pgcode == "22023"


@pytest.mark.defence("erasure-takes-nothing-else", "append-only")
@pytest.mark.parametrize("change", ["changes = NULL, salt = NULL, user_id = id", "changes = '{}'", "salt = sha256('x')", "action = 'delete', changes = NULL, salt = NULL",
                                    "changes_digest = sha256('x'), changes = NULL, salt = NULL"])
def test_nothing_else_can_be_changed_by_the_audits_owner(change, database, tenants, person):
    with pytest.raises(psycopg2.Error) as refused, undone(database) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("SET LOCAL ROLE relygate_audit")
        cursor.execute(f"UPDATE relygate.audit_log SET {change} WHERE changes IS NOT NULL")
    assert refused.value.pgcode == "42501"
    with pytest.raises(psycopg2.Error) as refused, undone(database) as cursor:
        cursor.execute("UPDATE relygate.audit_log SET changes = NULL, salt = NULL WHERE changes IS NOT NULL")
    assert refused.value.pgcode == "42501", "a superuser is not the audit's owner"


@pytest.mark.defence("erasure-on-record")
def test_an_erasure_by_hand_is_found(database, tenants, person):
    # A superuser may become relygate_audit and do what erase_person does, but not say so in a sealed entry that is not there.
    with undone(database) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.south,))
        cursor.execute("SET LOCAL ROLE relygate_audit; UPDATE relygate.audit_log SET changes = NULL, salt = NULL WHERE table_name = 'sites'; RESET ROLE")
        assert rows(cursor, "SELECT tenant_id, finding FROM relygate.verify_audit()") == [(tenants.south, "erased_unrecorded")]
