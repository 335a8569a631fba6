"""A backup becomes a database again. It grows under another name, is compared with the manifest, and gets its name last, in the one
transaction that also gives it its rights, settings and bindings: a database of the wanted name is whole, whenever a run ends.
"""
import contextlib
import json
import pathlib
import re
import subprocess
import time

import backup_folder
import cluster_roles
import content
import program
from database import Session, identifier, literal
from program import Failure, say

# Settings that are lists of names; ALTER ... SET takes each name by itself (GUC_LIST_QUOTE of PostgreSQL).
_LISTS = {"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces",
          "unix_socket_directories"}
_IS_EMPTY = """
SELECT NOT EXISTS (SELECT FROM pg_class WHERE oid >= 16384) AND NOT EXISTS (SELECT FROM pg_proc WHERE oid >= 16384)
   AND NOT EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384) AND NOT EXISTS (SELECT FROM pg_type WHERE oid >= 16384)
   AND NOT EXISTS (SELECT FROM pg_extension WHERE oid >= 16384) AND NOT EXISTS (SELECT FROM pg_largeobject_metadata)
"""


class Backup:
    """A backup that has been read and is not damaged."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.manifest = backup_folder.read_manifest(self.path)
        try:
            size = sum(known["bytes"] for known in self.manifest["files"].values())
            say(f"checking {self.path.name}: {len(self.manifest['files'])} files, {size // 1000} kB")
            backup_folder.check(self.path, self.manifest)
            self.catalog = json.loads((self.path / backup_folder.CATALOG).read_text(encoding="utf-8"))
            if type(self.catalog) is not list or not all(type(fact) is str for fact in self.catalog):
                raise ValueError("facts: they are no list of texts")
            self.globals = (self.path / backup_folder.GLOBALS).read_text(encoding="utf-8")
            self.version = self.manifest["extension"]
            self.database = self.manifest["database"]
        except (KeyError, TypeError, ValueError) as problem:
            raise Failure(f"{self.path} is damaged: the manifest lacks {problem}\nTake another backup.") from None

    @property
    def dump(self):
        return self.path / backup_folder.DUMP


def refuse_older_server(session, backup):
    """Everything that can be known beforehand is refused before anything is touched."""
    if not session.value("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"):
        raise Failure("only a superuser can restore: event triggers and rights on parameters belong to superusers")
    here, there = session.value("SELECT current_setting('server_version_num')::int") // 10000, backup.manifest["server_version_num"] // 10000
    if here < there:
        raise Failure(f"the backup is of PostgreSQL {there}, this server is {here}: dumps cannot go back\nRestore into PostgreSQL {there} or newer.")
    for name in backup.manifest["extensions"]:
        if not session.value(f"SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = {literal(name)})"):
            raise Failure(f"the extension {name} is not installed on this server\nInstall its files first"
                          f"{' (make install PG_CONFIG=...)' if name == 'relygate' else ''}.")
    versions = [row["version"] for row in session.rows("SELECT version FROM pg_available_extension_versions WHERE name = 'relygate'")]
    if backup.version not in versions:
        raise Failure(f"the backup is of version {backup.version} of the extension, this server has {', '.join(sorted(versions))}\n"
                      f"Install the release {backup.version} or newer; a newer one brings the scripts of older ones along.")


def read_list(backup, environment):
    """pg_restore's list of contents, which also shows that this pg_restore can read the dump."""
    with program.Child(["pg_restore", "--list", backup.dump], environment, stdout=subprocess.PIPE) as child:
        text = child.process.stdout.read().decode()
        child.wait()
    return text.splitlines()


def maintenance_session(address):
    for database in ("postgres", "template1"):
        try:
            return Session(address, database)
        except Failure as failure:
            if f'database "{database}"' not in str(failure):
                raise
    raise Failure("neither the database postgres nor template1 lets itself be connected to")


def refuse_filled_target(session, address):
    name = address.database
    if name in ("postgres", "template0", "template1"):
        raise Failure(f"{name} is PostgreSQL's own\nName the database that is to be made.")
    exists = session.value(f"SELECT EXISTS (SELECT FROM pg_database WHERE datname = {literal(name)})")
    if exists:
        with Session(address) as target:
            if not target.value(_IS_EMPTY):
                raise Failure(f"the database {name} exists and is not empty; nothing was touched\n"
                              "Restore under another name, or rename the old one first (ALTER DATABASE ... RENAME TO ...).")
    for row in session.rows(r"SELECT datname FROM pg_database WHERE datname LIKE 'relygate\_restoring\_%'"):
        say(f"note: {row['datname']} is of an interrupted restore, or of one that runs now; DROP DATABASE removes it")
    return exists


def restore_into(address, name, backup, jobs, entries, folder):
    """Everything of the dump into an empty database. Materialized views are filled last, one by one: their rows are no part of a backup,
    and one that reads tables with policies can be filled by nobody but a login which the policies let see something."""
    def pg_restore(kept, *options):
        listing = folder / "list"
        listing.write_text("\n".join(kept) + "\n", encoding="utf-8")
        with program.Child(["pg_restore", "--exit-on-error", "--no-tablespaces", "-L", listing, *options, "-d", address.url(name), backup.dump],
                           address.environment) as child:
            child.wait()
    # The extension in the version of the backup, not in the newest: its tables are of that version. migrate brings both on.
    own_schema = [line for line in entries if re.match(r"\d+; 2615 \d+ SCHEMA - relygate ", line)]
    pg_restore(own_schema)
    with Session(address, name) as session:
        session.execute(f"CREATE EXTENSION relygate SCHEMA relygate VERSION {literal(backup.version)}")
    fillings = [line for line in entries if re.match(r"\d+; \d+ \d+ MATERIALIZED VIEW DATA ", line)]
    pg_restore([line for line in entries if line not in own_schema and line not in fillings], "-j", str(jobs))
    for line in fillings:
        try:
            pg_restore([line])
        except Failure as failure:
            reason = re.search(r"ERROR: +(.*)", str(failure))
            program.warn(f"the materialized view {line.partition(' MATERIALIZED VIEW DATA ')[2]} (schema, name, owner) is there without rows: "
                         f"{reason[1] if reason else failure}; REFRESH it as its owner")
    say("counting and comparing; statistics for the planner")
    with Session(address, name) as session:
        session.execute("ANALYZE")


def _setting(setting):
    name, _, value = setting.partition("=")
    values = re.findall(r'"((?:[^"]|"")*)"|([^,\s][^,]*)', value) if name in _LISTS else [("", value)]
    values = [quoted.replace('""', '"') if quoted else plain.strip() for quoted, plain in values]
    return ".".join(map(identifier, name.split("."))), ", ".join(map(literal, values)) or "''"


def name_statements(old, new, database):
    """Renames a database and gives it what pg_dump keeps outside of it. Roles come from the catalog, quoted where they need it."""
    new = identifier(new)
    lines = [f"ALTER DATABASE {identifier(old)} RENAME TO {new}", f"ALTER DATABASE {new} OWNER TO {database['owner']}",
             f"ALTER DATABASE {new} CONNECTION LIMIT {int(database['connection_limit'])}"]
    if database["comment"] is not None:
        lines.append(f"COMMENT ON DATABASE {new} IS {literal(database['comment'])}")
    if database["grants"] is not None:
        lines.append(f"REVOKE ALL ON DATABASE {new} FROM PUBLIC, {database['owner']}")
        for grant in database["grants"]:
            lines.append(f"GRANT {grant['privilege']} ON DATABASE {new} TO {grant['grantee'] or 'PUBLIC'}"
                         f"{' WITH GRANT OPTION' if grant['grantable'] else ''}")
    for item in database["settings"]:
        who = f"ROLE {item['role']} IN DATABASE {new}" if item["role"] else f"DATABASE {new}"
        name, value = _setting(item["setting"])
        lines.append(f"ALTER {who} SET {name} TO {value}")
    return lines


def compare(session, backup, database, is_named):
    """Differences between the manifest and a database. What stands outside of it can be compared when it has its name."""
    kinds_outside = content.OF_THE_DATABASE
    same_major = session.value("SELECT current_setting('server_version_num')::int") // 10000 == backup.manifest["server_version_num"] // 10000
    def matters(fact):
        # Another major version prints the same view in other words.
        return (content.kind_of(fact) in kinds_outside) == is_named and (same_major or content.kind_of(fact) != "views")
    wanted, found = (list(filter(matters, facts)) for facts in
                     (backup.catalog, content.facts(session, database, backup.manifest["roles"])))
    return content.differences(wanted, found, "catalog")


def compare_content(session, backup):
    found = {table["name"]: content.measure(session, table) for table in content.tables(session)}
    said = content.table_differences(backup.manifest["tables"], found)
    head = content.audit_head(session)
    if head != backup.manifest["audit_head"]:
        said.append(f"the audit's head is {head}, in the backup {backup.manifest['audit_head']}")
    return said


@contextlib.contextmanager
def taken_away_on_failure(address, session, name):
    try:
        yield
    except BaseException:
        session.close()    # it may hold locks, or be dead
        with contextlib.suppress(Failure), maintenance_session(address) as another:
            another.execute(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")
        raise


def restore(backup, address, jobs, folder):
    """The whole backup as the database that the address names. folder: for files of its own."""
    with maintenance_session(address) as session:
        refuse_older_server(session, backup)
        exists = refuse_filled_target(session, address)
        entries = read_list(backup, address.environment)
        roles = cluster_roles.plan(session, backup.manifest, backup.catalog, backup.globals)
        old = backup.database
        growing = f"relygate_restoring_{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}_{session.value('SELECT pg_backend_pid()')}"
        provider = {"c": "libc", "i": "icu", "b": "builtin"}[old["provider"]]
        say(f"restoring {old['name']} as {growing} with {jobs} connections, then as {address.database}")
        with taken_away_on_failure(address, session, growing):
            # Nobody but a superuser gets in until it is whole.
            session.execute(f"CREATE DATABASE {identifier(growing)} TEMPLATE template0 CONNECTION LIMIT 0 ENCODING {literal(old['encoding'])} "
                            f"LOCALE_PROVIDER {provider} LC_COLLATE {literal(old['collate'])} LC_CTYPE {literal(old['ctype'])}"
                            + (f" {'ICU_LOCALE' if provider == 'icu' else 'BUILTIN_LOCALE'} {literal(old['locale'])}" if old["locale"] else ""))
            cluster_roles.create(address, session.database, roles)
            restore_into(address, growing, backup, jobs, entries, folder)
            with Session(address, growing) as grown:
                said = compare_content(grown, backup) + compare(grown, backup, growing, False)
                if any("functions: relygate." in line for line in said):
                    said.insert(0, f"are the files of the extension on this server those of release {backup.version}?")
                content.fail_on(said, "what was restored differs from the manifest and was removed again:")
            if exists:
                session.execute(f"DROP DATABASE {identifier(address.database)}")    # it was found empty
            session.execute("BEGIN")
            for statement in name_statements(growing, address.database, old):
                session.execute(statement)
            content.fail_on(compare(session, backup, address.database, True), "settings, rights or bindings of the database differ; it was removed again:")
            session.execute("COMMIT")
        logins = cluster_roles.missing_passwords(session, backup.manifest["roles"])
        if logins:
            say(f"logins without a password: {', '.join(logins)}")


def summary(backup):
    """What was compared and found equal, in words."""
    counts = {}
    for fact in backup.catalog:
        counts[content.kind_of(fact)] = counts.get(content.kind_of(fact), 0) + 1
    tables = backup.manifest["tables"]
    rows = sum(table["rows"] for table in tables.values())
    return [f"{len(tables)} tables, {rows} rows: number and checksum of each",
            "catalog: " + ", ".join(f"{counts.get(kind, 0)} {kind}" for kind in sorted({*counts, "bindings"}))]
