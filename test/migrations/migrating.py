"""What the tests of migrations share: running programs, and the schema of a database as text that can be compared."""
import contextlib
import itertools
import os
import secrets
import subprocess

from conftest import ROOT, Database


def run(*command, url=None, check=None, **environment):
    """Runs a program; check: the exit code that is wanted."""
    settings = {**os.environ, **environment}
    if url:
        settings["DATABASE_URL"] = url
    done = subprocess.run([str(word) for word in command], env=settings, capture_output=True, encoding="utf-8", timeout=600)
    assert check is None or done.returncode == check, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def migrate(*words, url=None, check=0, root=ROOT, **environment):
    return run(root / "scripts/migrate", *words, url=url, check=check, **environment)


def new_database(cluster):
    """An empty one with the extension."""
    name = "test_" + secrets.token_hex(6)
    cluster.run(f'CREATE DATABASE "{name}"')
    database = Database(cluster, name)
    database.run("CREATE EXTENSION relygate")
    return database


def schema(database):
    """Everything that is not an extension's member, with grants and settings, as SQL."""
    dump = run("pg_dump", "--schema-only", "--create", "--exclude-schema", "sqitch", database.url(), check=0).stdout
    return [line for line in dump.splitlines() if line and not line.startswith(("--", "\\"))]


@contextlib.contextmanager
def stranger(database):
    """A login that may create in public, with functions there that fit calls of format() better than PostgreSQL's own. Gives what
    says who ran one of them."""
    name = "stranger_" + secrets.token_hex(6)
    database.run(f"CREATE ROLE {name} LOGIN; GRANT CREATE ON SCHEMA public TO {name}; CREATE TABLE public.caught (who text); GRANT ALL ON public.caught TO {name}")
    try:
        for number in range(1, 4):
            for types in itertools.product(("text", "regclass", "name"), repeat=number):
                database.run(f"CREATE FUNCTION public.format({', '.join(('text', *types))}) RETURNS text LANGUAGE plpgsql AS "
                             "'BEGIN INSERT INTO public.caught VALUES (current_user); RETURN ''''; END'", user=name)
        yield lambda: [who for (who,) in database.run("SELECT DISTINCT who FROM public.caught")]
    finally:
        database.run(f"DROP OWNED BY {name}; DROP ROLE {name}; DROP TABLE public.caught")
