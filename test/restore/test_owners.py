"""Backups of a database in which a login has tables, types and views of its own: nothing that it made is run, and all comes back."""
import secrets
import sys

import pytest

from conftest import ROOT, copy_of_template, wait_until
from migrating import run
from rehearsal import backup_of, database_of, script, target  # noqa: F401 (a fixture)

sys.path.append(str(ROOT / "scripts/lib"))
import content  # noqa: E402
import database as lib  # noqa: E402
import program  # noqa: E402

OWN = """
CREATE FUNCTION public.said(text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN IF current_user !~ ''^owner_'' THEN RAISE EXCEPTION ''caught as %'', current_user; END IF; RETURN $1; END';
CREATE TYPE public.mood AS ENUM ('good', 'bad');
CREATE FUNCTION public.to_text(public.mood) RETURNS text LANGUAGE sql AS 'SELECT public.said(''mood'')';
CREATE CAST (public.mood AS text) WITH FUNCTION public.to_text(public.mood) AS IMPLICIT;
CREATE TYPE public.pair AS (a int, m public.mood);
CREATE FUNCTION public.to_text(public.pair) RETURNS text LANGUAGE sql AS 'SELECT public.said(''pair'')';
CREATE CAST (public.pair AS text) WITH FUNCTION public.to_text(public.pair) AS IMPLICIT;
CREATE FUNCTION public.to_text(public.mood[]) RETURNS text LANGUAGE sql AS 'SELECT public.said(''moods'')';
CREATE CAST (public.mood[] AS text) WITH FUNCTION public.to_text(public.mood[]) AS IMPLICIT;
CREATE DOMAIN public.feeling AS public.mood;
CREATE TABLE public.own (m public.mood, p public.pair, a public.mood[], d public.feeling, c char(5), i inet);
INSERT INTO public.own VALUES ('good', '(1,bad)', '{good,NULL}', 'bad', 'ab', '10.0.0.0/8'), (NULL, NULL, NULL, NULL, NULL, NULL), ('bad', '(,)', '{}', 'good', '', '::1');
CREATE VIEW public.seen AS SELECT first_name FROM relygate_report.visitors;
CREATE MATERIALIZED VIEW public.copied AS SELECT * FROM public.seen;
CREATE MATERIALIZED VIEW public.counted AS SELECT count(*) FROM public.own;
"""


@pytest.fixture(scope="module")
def owned(cluster, template):
    database = copy_of_template(cluster, "test_" + secrets.token_hex(6), template)
    database.owner = "owner_" + secrets.token_hex(6)
    database.run(f"CREATE ROLE {database.owner} LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO {database.owner}")
    tenant = database.value("SELECT id FROM relygate.create_tenant(code => 'OWNER', name => 'Owner', kind => 'office', time_zone => 'Asia/Dubai', country => 'AE')")
    database.run("SELECT relygate.bind_role(%s, %s)", database.owner, tenant)
    database.run(OWN, user=database.owner)
    yield database
    database.run(f"DROP OWNED BY {database.owner} CASCADE; SELECT relygate.unbind_role('{database.owner}')")
    cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')
    cluster.run(f"DROP ROLE {database.owner}")


def test_back_without_running_what_is_theirs(owned, target, tmp_path):
    done = wait_until(lambda: (lambda one: one if "Run it again" not in one.stderr else None)(
        run(ROOT / "scripts/backup", "--quiet", owned.url("relygate_backup"), tmp_path)), 120)
    assert done.returncode == 0 and done.stdout == "", done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert f"warning: the materialized view public.copied of {owned.owner} reads " in done.stderr and "relygate.visitors" in done.stderr, "also with --quiet"
    made, = tmp_path.iterdir()
    said = script("restore", made, target.url("owned")).stderr
    assert len(said.splitlines()) == 1
    assert f"warning: the materialized view public copied {owned.owner}" in said and "without rows" in said
    restored = database_of(target, "owned")
    assert restored.run("SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1") == [("copied", False), ("counted", True)]
    assert restored.value("SELECT count(*) FROM public.own") == 3
    restored.run("REFRESH MATERIALIZED VIEW public.copied", user=owned.owner)


def test_a_table_whose_rows_differ_is_seen(owned):
    with lib.Session(lib.Address(owned.url())) as session:
        table, = [table for table in content.tables(session) if table["name"] == "public.own"]
        measured = [content.measure(session, table)["checksum"]]
        for change in ("m = 'bad'", "p = '(2,bad)'", "a = '{bad}'", "d = 'good'", "c = 'b'", "i = '10.0.0.1'"):
            owned.run(f"UPDATE public.own SET {change} WHERE c = 'ab' OR c = 'b'", user=owned.owner)
            measured.append(content.measure(session, table)["checksum"])
        assert len(set(measured)) == len(measured)


def test_what_earlier_backups_said_stays(owned):
    """Their manifests hold checksums of what casts to text say."""
    owned.run("CREATE TABLE public.plain (c char(5), i inet, n numeric, j jsonb, a text[])")
    owned.run("INSERT INTO public.plain VALUES ('ab', '10.0.0.1', 1.50, '{\"a\": 1}', '{a,NULL}'), (NULL, '::1', NULL, 'null', '{}'), ('', 'fe80::/10', 'NaN', NULL, NULL)")
    with lib.Session(lib.Address(owned.url())) as session:
        table, = [table for table in content.tables(session) if table["name"] == "public.plain"]
        now = content.measure(session, table)
        assert now == content.measure(session, {**table, "hashed": "a::text, c::text, i::text, j::text, n::text"})
    owned.run("DROP TABLE public.plain")


def test_a_view_in_the_place_of_a_table(owned):
    owned.run("CREATE TABLE public.swapped (m text)", user=owned.owner)
    with lib.Session(lib.Address(owned.url())) as session:
        table, = [table for table in content.tables(session) if table["name"] == "public.swapped"]
        owned.run("DROP TABLE public.swapped; CREATE VIEW public.swapped AS SELECT public.said('view') AS m", user=owned.owner)
        with pytest.raises(program.Failure, match="access to non-system view"):
            content.measure(session, table)
    owned.run("DROP VIEW public.swapped")
