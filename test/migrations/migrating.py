"""What the tests of migrations share: running scripts/migrate, and a picture of a database that can be compared."""
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


# Each line of it names one fact, without OIDs.
PICTURE = r"""
SELECT 'relation', format('%s %s owner %s rls %s %s options %s', c.oid::regclass, c.relkind, c.relowner::regrole, c.relrowsecurity,
              c.relforcerowsecurity, c.reloptions) FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM ours) AND c.relkind <> 'i'
UNION ALL SELECT 'grant', format('%s %s', c.oid::regclass, a) FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) e,
              LATERAL (SELECT format('%s %s by %s', e.grantee::regrole, e.privilege_type, e.grantor::regrole)) x (a)
              WHERE c.relnamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'column grant', format('%s.%s %s %s', c.attrelid::regclass, c.attname, e.grantee::regrole, e.privilege_type)
              FROM pg_attribute c JOIN pg_class r ON r.oid = c.attrelid, aclexplode(c.attacl) e WHERE r.relnamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'column', format('%s.%s %s %s statistics %s comment %s', c.attrelid::regclass, c.attname, format_type(c.atttypid, c.atttypmod),
              c.attnotnull, c.attstattarget, col_description(c.attrelid, c.attnum)) FROM pg_attribute c JOIN pg_class r ON r.oid = c.attrelid
              WHERE r.relnamespace IN (SELECT oid FROM ours) AND c.attnum > 0 AND NOT c.attisdropped AND r.relkind <> 'i'
UNION ALL SELECT 'function grant', format('%s %s %s', p.oid::regprocedure, CASE e.grantee WHEN 0 THEN 'public' ELSE e.grantee::regrole::text END,
              e.privilege_type) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) e WHERE p.pronamespace IN (SELECT oid FROM ours) OR p.proname LIKE '%advisory%'
UNION ALL SELECT 'function', format('%s owner %s %s %s', p.oid::regprocedure, p.proowner::regrole, p.prosecdef, p.proconfig) FROM pg_proc p
              WHERE p.pronamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'schema grant', format('%s %s %s', n.nspname, CASE e.grantee WHEN 0 THEN 'public' ELSE e.grantee::regrole::text END, e.privilege_type)
              FROM pg_namespace n, aclexplode(n.nspacl) e WHERE n.nspname ~ '^(relygate|public)'
UNION ALL SELECT 'default grant', format('%s %s %s', d.defaclrole::regrole, d.defaclobjtype, d.defaclacl) FROM pg_default_acl d
UNION ALL SELECT 'policy', format('%s %s %s %s %s / %s', p.polrelid::regclass, p.polname, p.polpermissive, p.polcmd, pg_get_expr(p.polqual, p.polrelid),
              pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p
UNION ALL SELECT 'trigger', format('%s %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL SELECT 'event trigger', format('%s %s %s %s %s', e.evtname, e.evtevent, e.evtenabled, e.evttags, e.evtfoid::regproc) FROM pg_event_trigger e
UNION ALL SELECT 'index', pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid WHERE r.relnamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'constraint', format('%s %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint k
              WHERE k.connamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'view', format('%s %s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM pg_class c
              WHERE c.relkind = 'v' AND c.relnamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'extension', format('%s %s %s', extname, extversion, extnamespace::regnamespace) FROM pg_extension
UNION ALL SELECT 'setting', format('%s %s', CASE setrole WHEN 0 THEN 'database' ELSE setrole::regrole::text END, setconfig) FROM pg_db_role_setting s
              WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                AND (setrole = 0 OR setrole::regrole::text ~ '^(relygate|report)_')
UNION ALL SELECT 'database grant', format('%s %s', CASE e.grantee WHEN 0 THEN 'public' ELSE e.grantee::regrole::text END, e.privilege_type)
              FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) e WHERE d.datname = current_database()
UNION ALL SELECT 'role', format('%s %s %s %s %s %s', rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolreplication) FROM pg_roles
              WHERE rolname ~ '^(relygate|report)_'
UNION ALL SELECT 'member', format('%s in %s', member::regrole, roleid::regrole) FROM pg_auth_members WHERE member::regrole::text ~ '^(relygate|report)_'
UNION ALL SELECT 'parameter grant', format('%s %s %s', p.parname, e.grantee::regrole, e.privilege_type) FROM pg_parameter_acl p, aclexplode(p.paracl) e
"""


def picture(database):
    """The catalog as a set of facts, and of every table the number and a digest of its rows."""
    names = database.run("SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                         "WHERE n.nspname ~ '^(relygate|sqitch)' AND c.relkind IN ('r', 'p') ORDER BY 1")
    rows = {name: database.run(f"SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {name} t")[0] for (name,) in names}
    facts = database.run("WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname ~ '^relygate') " + PICTURE)
    return {"facts": sorted(f"{kind}: {fact}" for kind, fact in facts), "rows": rows}
