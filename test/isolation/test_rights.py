"""What roles may not do at all, and code with other rights: attacks 15, 19 and 20, cases rls-007, rls-008, extension-010."""
import base64

import pytest

from attackers import FORBIDDEN, defended_by, ground  # noqa: F401: a fixture

# Attack 15: ways around the policies. Defence: they are not granted, and TRUNCATE has a trigger as well.

def ways(*statements, by):
    return [pytest.param(statement, marks=by) for statement in statements]


WAYS_AROUND = [
    *ways("TRUNCATE relygate.visits", by=defended_by("no-truncate-grant", "no-truncate-grant-and-trigger", "ownership", "ownership-and-guard")),
    # (Whoever may is told of the keys that point at it.)
    *ways("TRUNCATE relygate.visits, relygate.visitors CASCADE", by=defended_by("no-truncate-grant-and-trigger")),
    *ways("CREATE TEMP TABLE t (i int)", "CREATE SCHEMA s", by=defended_by("no-temporary-tables")),
    *ways("CREATE TABLE relygate.t (i int)", "CREATE TABLE public.t (i int)", "CREATE TABLE relygate_report.t (i int)",
          by=defended_by("no-create-in-schemas")),
    *ways("CREATE TABLE own_{0}.t (tenant uuid, visitor uuid, FOREIGN KEY (tenant, visitor) REFERENCES relygate.visitors (tenant_id, id))",
          by=defended_by("no-references-grant")),
    *ways("CREATE TRIGGER t AFTER INSERT ON relygate.visits EXECUTE FUNCTION suppress_redundant_updates_trigger()",
          by=defended_by("no-trigger-grant", "ownership", "ownership-and-guard")),
    *ways("CREATE POLICY t ON relygate.visits USING (true)", "DROP TABLE relygate.visits CASCADE", by=defended_by("ownership", "ownership-and-guard")),
    *ways("ALTER TABLE relygate.visits DISABLE ROW LEVEL SECURITY", "ALTER TABLE relygate.visits NO FORCE ROW LEVEL SECURITY",
          by=defended_by("ownership-and-guard")),
    *ways("SET session_replication_role = replica", by=defended_by("replication-role")),
    *ways("SELECT relygate.new_signing_key('ES256')", "SELECT relygate.jws_sign('x', 'y')",
          by=defended_by("revoked-from-public")),
    *ways("UPDATE relygate_global.routes SET permission = 'public'", "DELETE FROM relygate_global.routes", by=defended_by("routes-closed")),
    *ways("SELECT * FROM pg_catalog.pg_db_role_setting", by=defended_by("bindings-hidden")),
    *ways("SELECT pg_advisory_lock(1)", by=defended_by("no-advisory-locks")),
    *ways("SELECT lo_creat(-1)", by=defended_by("no-large-objects"))]


@pytest.mark.parametrize("way", WAYS_AROUND)
@pytest.mark.parametrize("who", ["chooser", "reader"])
def test_attack_15_not_granted(ground, who, way):
    login = getattr(ground, who)
    with ground.session(login, autocommit=False) as session:
        session.run(f"SELECT set_config('app.tenant_id', '{ground.north}', false)" if who == "chooser" else "SELECT 1")
        assert session.refused(way.format(login)) == FORBIDDEN


@pytest.mark.parametrize("who", ["chooser", "reader"])
def test_attack_15_copy_from(ground, who):
    with ground.session(getattr(ground, who)) as session:
        if who == "chooser":
            session.run(f"SELECT set_config('app.tenant_id', '{ground.north}', false)")
        expected = {"chooser": "0A000", "reader": FORBIDDEN}[who]    # not under row-level security
        assert session.refused("COPY relygate.visitors (first_name) FROM STDIN") == expected


@defended_by("no-truncate-grant", "no-truncate-grant-and-trigger", "no-references-grant", "no-trigger-grant")
def test_attack_15_no_grant_of_another_kind(ground):
    rows = ground.database.run(
        "SELECT c.oid::regclass::text, a.grantee::regrole::text, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a "
        "WHERE c.relnamespace IN ('relygate'::regnamespace, 'relygate_report'::regnamespace, 'relygate_global'::regnamespace) "
        "  AND a.grantee <> c.relowner AND a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')")
    assert rows == []


@pytest.mark.parametrize("who", ["postgres", "owner"])
@defended_by("truncate-trigger", "no-truncate-grant-and-trigger")
def test_attack_15_truncate_is_refused_to_all(ground, who):
    with ground.session(getattr(ground, who, who), autocommit=False) as session:
        for table in ground.tables:
            if who == "postgres" or not table.startswith("relygate.audit_"):
                session.run(f"SET LOCAL ROLE {'relygate_owner' if who == 'owner' else 'postgres'}")
                assert session.refused(f"TRUNCATE {table} CASCADE") == FORBIDDEN
                session.connection.rollback()
    assert ground.count("relygate.visits", ground.south) == 5


# Attack 19: objects that take the place of those that a definer function means. Defence: its search_path.

DEFINERS = """SELECT p.oid::regprocedure::text, r.rolname, r.rolsuper OR r.rolbypassrls, p.proconfig,
                     has_function_privilege('public', p.oid, 'EXECUTE')
                FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
               WHERE p.prosecdef AND p.pronamespace IN ('relygate'::regnamespace, 'relygate_report'::regnamespace, 'relygate_global'::regnamespace)"""


@defended_by("definer-search-path", "definer-owner", "revoked-from-public", "no-definer-in-extension", "definer-names")
def test_rls_008_definer_functions(ground):
    found = ground.database.run(DEFINERS)
    assert {row[0].split("(")[0] for row in found} >= {"relygate.find_tenant", "relygate.sign_token", "relygate.keyed_hash"}
    for signature, owner, is_bypassing, settings, is_public in found:
        assert owner in ("relygate_platform", "relygate_audit") and not is_bypassing, signature
        assert "search_path=pg_catalog, pg_temp" in settings, signature
        assert not is_public, signature
    assert ground.database.value(
        "SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e' "
        "JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'relygate' WHERE p.prosecdef") == 0


@defended_by("keyed-hash-of-tenant")
def test_rls_008_definer_functions_with_ids_of_the_other_tenant(ground):
    """find_tenant and list_tenants answer before there is a tenant: codes and names of organisations, no row of theirs."""
    with ground.session(ground.chooser) as session:
        session.run(f"SELECT set_config('app.tenant_id', '{ground.north}', false)")
        assert session.value("SELECT relygate.find_tenant('SOUTH')") == ground.south
        token = session.value("SELECT token FROM relygate.sign_token(gen_random_uuid(), NULL, 'guard')")
        assert f'"tenant_id": "{ground.north}"' in payload(token) or f'"tenant_id":"{ground.north}"' in payload(token)
        own = session.value("SELECT relygate.keyed_hash('document_hash', 'x')")
        session.run(f"SELECT set_config('app.tenant_id', '{ground.south}', false)")
        assert session.value("SELECT relygate.keyed_hash('document_hash', 'x')") != own


def payload(token):
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


@pytest.mark.parametrize("call", [
    *ways("relygate.keyed_hash('document_hash', 'x')", "relygate.find_tenant('SOUTH')", "relygate.sign_token(gen_random_uuid(), NULL, 'guard')",
          by=defended_by("definer-search-path")),
    "relygate.list_tenants()"])     # it calls nothing
def test_attack_19_shadowed_names(ground, call):
    """Functions of the attacker's schema, found first, would run with relygate_platform's rights and read the keys."""
    schema = f"own_{ground.chooser}"
    with ground.session(ground.chooser) as session:
        session.run(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC")    # else relygate_platform would not look there at all
        for name, arguments, result in (("convert_to", "text, name", "bytea"), ("upper", "text", "text"), ("statement_timestamp", "", "timestamptz"),
                                        ("current_setting", "text", "text"), ("date_trunc", "text, timestamptz", "timestamptz")):
            session.run(f"CREATE OR REPLACE FUNCTION {schema}.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql AS "
                        "$$ BEGIN RAISE EXCEPTION 'taken over as %', current_user; END $$")
        for kind in ("text", "uuid"):
            session.run(f"CREATE OR REPLACE FUNCTION {schema}.same({kind}, {kind}) RETURNS boolean LANGUAGE plpgsql AS "
                        "$$ BEGIN RAISE EXCEPTION 'taken over as %', current_user; END $$")
            session.run(f"DROP OPERATOR IF EXISTS {schema}.= ({kind}, {kind})")
            session.run(f"CREATE OPERATOR {schema}.= (FUNCTION = {schema}.same, LEFTARG = {kind}, RIGHTARG = {kind})")
        session.run(f"SELECT set_config('app.tenant_id', '{ground.north}', false)")
        session.run(f"SET search_path = {schema}, pg_catalog")
        assert session.run(f"SELECT * FROM {call}")


@defended_by("definer-names")
def test_attack_19_temporary_table(ground):
    """Even with the right to make temporary tables, which nobody has."""
    ground.database.run(f"GRANT TEMPORARY ON DATABASE {ground.database.name} TO {ground.chooser}")
    try:
        with ground.session(ground.chooser) as session:
            session.run("CREATE TEMP TABLE tenants (id uuid, code text)")
            session.run(f"INSERT INTO tenants VALUES ('{ground.south}', 'NORTH')")
            session.run("CREATE TEMP TABLE signing_keys (kid text, private_jwk text)")
            session.run("SET search_path = pg_temp, relygate, relygate_global, pg_catalog")
            assert session.value("SELECT relygate.find_tenant('NORTH')") == ground.north
    finally:
        ground.database.run(f"REVOKE TEMPORARY ON DATABASE {ground.database.name} FROM {ground.chooser}")


# Attack 20: views with more rights than their reader. Defence: security_invoker.

@defended_by("security-invoker")
def test_attack_20_rls_007_every_view_as_two_bound_logins(ground):
    views = [row[0] for row in ground.database.run("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'v' "
                                                   "AND relnamespace = 'relygate_report'::regnamespace")]
    assert len(views) >= 4
    for view in views:
        seen = {}
        for login in (ground.reader, ground.reader_south):
            with ground.session(login) as session:
                seen[login] = {str(row) for row in session.run(f"SELECT v FROM {view} v")}
        assert seen[ground.reader] and seen[ground.reader_south], view
        assert not seen[ground.reader] & seen[ground.reader_south], view


@defended_by("security-invoker")
def test_attack_20_rls_007_rows_are_those_of_the_tenant(ground):
    for login, tenant, names in ((ground.reader, ground.north, {"Asha", "Ravi", "Meera"}),
                                 (ground.reader_south, ground.south, {"Omar", "Layla", "Yusuf", "Noor", "Zayd"})):
        with ground.session(login) as session:
            assert {row[0] for row in session.run("SELECT first_name FROM relygate_report.visitors")} == names
            assert {row[0] for row in session.run("SELECT visitor_first_name FROM relygate_report.visits")} == names
            ids = {row[0] for row in session.run("SELECT row_id FROM relygate_report.audit WHERE table_name LIKE '%visits'")}
        assert ids == {row[0] for row in ground.database.run("SELECT id FROM relygate.visits WHERE tenant_id = %s", tenant)}
    for role in ("relygate_owner", "relygate_api"):     # as the views' owner, and as the API
        with ground.session({"relygate_owner": ground.owner, "relygate_api": ground.chooser}[role]) as session:
            session.run(f"SET ROLE {role}")
            session.run(f"SELECT set_config('app.tenant_id', '{ground.north}', false)")
            assert session.value("SELECT count(*) FROM relygate_report.visits") == 3


@defended_by("security-invoker")
def test_attack_20_rls_007_all_views_run_with_the_readers_rights(ground):
    rows = ground.database.run(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('v', 'm') "
        "AND c.relnamespace IN ('relygate'::regnamespace, 'relygate_report'::regnamespace, 'relygate_global'::regnamespace) "
        "AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)")
    assert rows == []
    with ground.session(ground.reader) as session:     # a column that no view shows
        assert session.refused("SELECT document_hash FROM relygate.visitors") == FORBIDDEN
        assert session.refused("SELECT password_hash FROM relygate.users") == FORBIDDEN


# extension-010: who may call what.

# A sub-select, since a constant NULL of a strict function is folded away before any right is asked for.
FUNCTIONS = """SELECT p.oid::regprocedure::text, p.provolatile::text,
                      format('SELECT %s(%s)', p.oid::regproc, (SELECT string_agg(format('(SELECT NULL::%s)', t::regtype), ', ' ORDER BY n)
                                                                 FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n)))
                 FROM pg_proc p WHERE p.pronamespace = 'relygate'::regnamespace AND p.prokind = 'f'
                  AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype) ORDER BY 1"""


@defended_by("revoked-from-public")
def test_extension_010_a_role_without_rights_calls_nothing(ground):
    functions = ground.database.run(FUNCTIONS)
    assert len(functions) > 100
    ground.database.run(f"GRANT USAGE ON SCHEMA relygate TO {ground.stranger}")    # else the schema alone would refuse
    try:
        with ground.session(ground.stranger) as session:
            callable_ = [signature for signature, _, call in functions if session.refused(call) != FORBIDDEN]
    finally:
        ground.database.run(f"REVOKE USAGE ON SCHEMA relygate FROM {ground.stranger}")
    assert callable_ == []


@defended_by("revoked-from-public")
def test_extension_010_a_reporting_login_calls_what_reads(ground):
    functions = ground.database.run(FUNCTIONS)
    called = 0
    with ground.session(ground.reader) as session:
        for signature, volatility, call in functions:
            may = session.value("SELECT has_function_privilege(%s, 'EXECUTE')", signature)
            assert not may or volatility in "is", signature
            if not may:
                assert session.refused(call) == FORBIDDEN, signature
            called += may
    assert called > 20


@defended_by("default-privileges")
@pytest.mark.parametrize("role", ["relygate_owner", "relygate_platform", "relygate_audit"])
def test_a_new_function_is_nobodys_to_call(ground, role):
    """What a migration makes and forgets to revoke: PostgreSQL's own default would let everybody call it."""
    with ground.session("postgres", autocommit=False) as session:
        session.run(f"CREATE SCHEMA new AUTHORIZATION {role}; SET LOCAL ROLE {role}; CREATE FUNCTION new.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
        assert not session.value("SELECT has_function_privilege('public', 'new.f()', 'EXECUTE')")


@defended_by("revoked-from-public", "ownership-of-functions")
def test_extension_010_what_administers_is_the_superusers(ground):
    for name in ("bind_role(name, uuid)", "unbind_role(name)", "grant_functions()", "validate_schema()", "jws_sign(text, text)",
                 "new_signing_key(text)", "end_role_sessions(oid)", "rotate_signing_key(text, boolean)"):
        for role in ("relygate_api", "relygate_reporting", "relygate_owner"):
            assert not ground.database.value("SELECT has_function_privilege(%s, %s, 'EXECUTE')", role, f"relygate.{name}"), (role, name)
