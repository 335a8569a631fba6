"""What tables and views run by themselves: a superuser who examines the database runs nothing that a lesser login may change."""
import os
import subprocess

import pytest

from attackers import defended_by, ground  # noqa: F401: a fixture
from conftest import ROOT

# {0}: a schema of a member of relygate_owner. A sequence does not come back with a rollback, so it tells of every call.
WORDS = """CREATE SEQUENCE {0}.caught; GRANT USAGE ON SEQUENCE {0}.caught TO PUBLIC; GRANT USAGE ON SCHEMA {0} TO PUBLIC;
    CREATE FUNCTION {0}.ev(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
        $$ BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN PERFORM nextval('{0}.caught'); END IF; RETURN true; END $$;
    CREATE FUNCTION {0}.ev_text(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT {0}.ev($1)::text';
    CREATE FUNCTION {0}.ev_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM {0}.ev(1); RETURN NEW; END';
    CREATE FUNCTION {0}.ev_event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM {0}.ev(1); END';
    CREATE TYPE {0}.kind AS (word text);
    CREATE FUNCTION {0}.ev_kind({0}.kind) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT {0}.ev(1)::text';
    CREATE CAST ({0}.kind AS text) WITH FUNCTION {0}.ev_kind({0}.kind) AS IMPLICIT;
    CREATE DOMAIN {0}.word AS text CHECK ({0}.ev(VALUE)); CREATE DOMAIN {0}.own_word AS {0}.word;
    CREATE TYPE {0}.pair AS (one int, word {0}.word);
    CREATE DOMAIN {0}.filled AS text DEFAULT {0}.ev_text('');
    CREATE OPERATOR {0}.=== (RIGHTARG = text, FUNCTION = {0}.ev_text)"""
NEW = "ALTER TABLE relygate.purposes ADD extra "
PLANTS = {
    "a check": "ALTER TABLE relygate.purposes ADD CHECK ({0}.ev(name::text)) NOT VALID",
    "an operator": "ALTER TABLE relygate.purposes ADD CHECK ((OPERATOR({0}.===) name::text) <> '') NOT VALID",
    "a cast": "ALTER TABLE relygate.purposes ADD CHECK ((ROW('x')::{0}.kind)::text <> '') NOT VALID",
    "a default": NEW + "text; ALTER TABLE relygate.purposes ALTER extra SET DEFAULT {0}.ev_text('')",
    "a default that acts": NEW + "text; ALTER TABLE relygate.purposes ALTER extra SET DEFAULT lo_export(lo_from_bytea(0, 'x'), '/nowhere/x')::text",
    "a default that runs what it reads": NEW + "text; ALTER TABLE relygate.purposes ALTER extra SET DEFAULT table_to_xml('pg_user', true, true, '')::text",
    "a default that names a domain": NEW + "boolean; ALTER TABLE relygate.purposes ALTER extra SET DEFAULT domain_in('x', 1, -1) IS NULL",
    "a generated column": NEW + "boolean GENERATED ALWAYS AS ({0}.ev(name::text)) STORED",
    "a domain over a domain": NEW + "{0}.own_word",
    "domains in an array": NEW + "{0}.word[] NOT NULL DEFAULT '{{}}'",
    "a domain in a composite type": NEW + "{0}.pair",
    "a domain's default": NEW + "{0}.filled",
    "an index": "CREATE INDEX ON relygate.purposes (tenant_id, {0}.ev(name::text))",
    "a condition of an index": "CREATE INDEX ON relygate.purposes (tenant_id) WHERE {0}.ev(name::text)",
    "a trigger": "CREATE TRIGGER evil BEFORE INSERT ON relygate.purposes FOR EACH ROW EXECUTE FUNCTION {0}.ev_row(); "
                 "ALTER TABLE relygate.purposes ENABLE ALWAYS TRIGGER evil",
    "a policy": "CREATE POLICY evil ON relygate.purposes USING ({0}.ev(1))",
    "a policy over a view": "CREATE VIEW {0}.seen AS SELECT {0}.ev(1) AS is_so; CREATE POLICY evil ON relygate.purposes USING ((SELECT is_so FROM {0}.seen))",
    "a child": "CREATE TABLE {0}.child (CHECK ({0}.ev(tenant_id))) INHERITS (relygate.purposes)",
    "a view": "CREATE VIEW relygate_report.own WITH (security_invoker) AS SELECT {0}.ev(1) AS is_so; GRANT SELECT ON relygate_report.own TO relygate_reporting",
}


@pytest.fixture
def planted(ground):
    """A session of a superuser and how often anything of the owner's was run in it; all is rolled back."""
    schema = f"own_{ground.owner}"
    with ground.session("postgres", autocommit=False) as session:
        for row in session.run("SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate%'"):
            session.run(f"ALTER EVENT TRIGGER {row[0]} DISABLE")
        session.run(f"CREATE SCHEMA {schema} AUTHORIZATION {ground.owner}; SET ROLE {ground.owner}; " + WORDS.format(schema) + "; RESET ROLE")
        yield session, schema, lambda: session.run(f"SELECT last_value, is_called FROM {schema}.caught")


@defended_by("proof-runs-nothing-foreign")
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_the_proof_runs_nothing_that_others_may_change(planted, plant):
    session, schema, calls = planted
    session.run(plant.format(schema))
    before = calls()
    unproven = session.run("SELECT attack, tried, detail FROM relygate.prove_isolation() WHERE held IS NULL AND detail LIKE 'not tried: %'")
    assert calls() == before
    assert any(attack == "rows" and "relygate.purposes" in tried or "relygate_report.own" in tried for attack, tried, _ in unproven)


@defended_by("stored-code")
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_it_is_named(planted, plant):
    session, schema, calls = planted
    session.run(plant.format(schema))
    before = calls()
    found = session.run("SELECT object, finding FROM relygate.validate_schema() WHERE finding LIKE '% calls %'")
    assert calls() == before
    where = "relygate_report.own" if "relygate_report.own" in plant else f"{schema}.child" if "INHERITS" in plant else "relygate.purposes"
    assert {name for name, _ in found} == {where}


CHANGING = {
    "a domain, which may get a check": NEW + "{0}.plain",
    "a policy over a view, which may get a rule": "CREATE VIEW {0}.seen AS SELECT true AS is_so; ALTER VIEW {0}.seen OWNER TO relygate_owner; "
                                                  "CREATE POLICY evil ON relygate.purposes USING ((SELECT is_so FROM {0}.seen))",
}


@defended_by("proof-runs-nothing-foreign")
@pytest.mark.parametrize("plant", CHANGING.values(), ids=CHANGING)
def test_nor_what_may_be_changed_meanwhile(planted, plant):
    """It is not named: an owner may change his tables, too."""
    session, schema, _ = planted
    session.run(f"CREATE DOMAIN {schema}.plain AS text; ALTER DOMAIN {schema}.plain OWNER TO relygate_owner")
    session.run(plant.format(schema))
    assert ("rows", "rows of scratch tenants in relygate.purposes") in session.run("SELECT attack, tried FROM relygate.prove_isolation() WHERE held IS NULL AND detail LIKE 'not tried: %'")
    assert session.run("SELECT object, finding FROM relygate.validate_schema() WHERE finding LIKE '% calls %'") == []


def test_a_view_that_cannot_be_locked_is_not_tried(planted):
    session, _, _ = planted
    session.run("CREATE VIEW relygate_report.own AS SELECT id FROM relygate.visits; ALTER VIEW relygate_report.own OWNER TO relygate_platform")
    assert ("view", "SELECT FROM relygate_report.own") in session.run("SELECT attack, tried FROM relygate.prove_isolation() WHERE held IS NULL AND detail LIKE 'not tried: %'")


@defended_by("proof-reads-views-without-casts")
def test_a_cast_of_a_view_is_not_used(planted):
    session, schema, calls = planted
    session.run(f"CREATE FUNCTION {schema}.shown(relygate_report.visits) RETURNS text LANGUAGE sql AS 'SELECT {schema}.ev(1)::text'; ALTER FUNCTION {schema}.shown OWNER TO relygate_owner; "
                f"CREATE CAST (relygate_report.visits AS text) WITH FUNCTION {schema}.shown(relygate_report.visits)")
    before = calls()
    assert session.run("SELECT attack, tried FROM relygate.prove_isolation() WHERE held IS NOT TRUE AND attack <> 'guard'") == []     # which sleeps here
    assert calls() == before


@defended_by("proof-runs-no-foreign-event-trigger", "stored-code")
def test_an_event_trigger_of_somebody_else(planted):
    session, schema, calls = planted
    session.run(f"CREATE EVENT TRIGGER evil ON ddl_command_end EXECUTE FUNCTION {schema}.ev_event()")
    before = calls()
    assert [(attack, held) for attack, held in session.run("SELECT attack, held FROM relygate.prove_isolation() WHERE detail LIKE 'not tried: %'")] == [("guard", None)]
    assert [row[0] for row in session.run("SELECT object FROM relygate.validate_schema() WHERE finding LIKE 'it calls %'")] == ["event trigger evil"]
    assert calls() == before


@defended_by("routes-read-as-deployed")
def test_routes_of_another_type_are_not_read(planted):
    session, schema, calls = planted
    session.run("INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only) VALUES ('GET', '/api/x', 'x', 'signed_in', 'list', true); "
                "DROP VIEW relygate.routes; ALTER TABLE relygate_global.routes DROP CONSTRAINT product_routes_function_check; "
                f"ALTER TABLE relygate_global.routes ALTER function TYPE {schema}.kind USING ROW(function)::{schema}.kind")
    before = calls()
    assert [row[0] for row in session.run("SELECT object FROM relygate.validate_schema() WHERE finding LIKE 'it is not the table that was deployed%'")] == ["relygate_global.routes"]
    assert calls() == before


@defended_by("proof-runs-nothing-foreign")
def test_the_doctor_runs_nothing_of_a_member_of_the_owner(ground):
    """As such a member does it, with the guard awake."""
    schema = f"own_{ground.owner}"
    ground.database.run(f"CREATE SCHEMA {schema} AUTHORIZATION {ground.owner}")
    with ground.session(ground.owner) as owner:
        owner.run(WORDS.format(schema))
        owner.run(f"SET ROLE relygate_owner; ALTER TABLE relygate.purposes ADD CONSTRAINT evil CHECK ({schema}.ev(name::text)) NOT VALID")
        try:
            done = subprocess.run([ROOT / "scripts/doctor", ground.database.url()], capture_output=True, encoding="utf-8", env=os.environ, timeout=300, check=False)
            assert done.returncode == 1 and f"not tried: constraint evil calls {schema}.ev(anyelement), which is {ground.owner}'s to change" in done.stdout
            assert ground.database.value(f"SELECT is_called FROM {schema}.caught") is False
        finally:
            owner.run("ALTER TABLE relygate.purposes DROP CONSTRAINT evil")
