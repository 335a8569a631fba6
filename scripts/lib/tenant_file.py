"""One tenant in a file: a zip of COPY data, a member a table, and a manifest. Data, not SQL: nothing in it is ever run. Names of
tables and columns are taken from the catalog and only compared with those in the file; rows reach the server by COPY ... WHERE, which lets
none of another tenant pass, through a pipe that carries nothing else.
"""
import contextlib
import json
import os
import pathlib
import re
import tempfile
import threading
import zipfile
import zlib

import content
from backup_folder import write_through
from database import Session, identifier, literal
from program import Failure, say

FORMAT, KIND, MANIFEST = 1, "RelyGate tenant", "manifest.json"
_PIECE = 1 << 20
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _columns(table):
    return ", ".join(identifier(name) for name in table["columns"])


def _own(table, tenant):
    return f"{identifier(table['key'])} = {literal(tenant)}"


# Out ------------------------------------------------------------------------------------------------------------------------------

def export(session, tenant, path):
    """Writes a file that is complete or not there. An existing one stays as it is."""
    path = pathlib.Path(path)
    if path.exists():
        raise Failure(f"{path} exists\nName another file.")
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    found = session.row(f"SELECT id, code, name, is_operator FROM relygate.tenants WHERE id::text = lower({literal(tenant)}) OR code = upper({literal(tenant)})")
    if not found:
        raise Failure(f"there is no tenant {tenant}\nName it by its code or id; SELECT * FROM relygate.list_tenants() lists them.")
    manifest = {"kind": KIND, "format": FORMAT, "tenant": found, **content.versions(session), "taken_at": session.value("SELECT now()"),
                "document_key": document_key(session),
                "months": [row["month"] for row in session.rows("SELECT DISTINCT to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month "
                                                                f"FROM relygate.audit_log WHERE tenant_id = {literal(found['id'])} ORDER BY 1")],
                "tables": {}}
    say(f"exporting {found['code']}, {found['name']}")
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                for table in content.tenant_tables(session):
                    own = _own(table, found["id"])
                    known = content.measure(session, table, own)
                    with archive.open(table["name"] + ".copy", "w", force_zip64=True) as member:
                        for line in session.stream(f"COPY (SELECT {_columns(table)} FROM {table['name']} WHERE {own}) TO STDOUT"):
                            member.write(line)
                    manifest["tables"][table["name"]] = {**known, "columns": table["columns"]}
                archive.writestr(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)    # unlike a renaming it replaces nothing
        write_through(path.parent)
    finally:
        os.unlink(partial)
    return manifest


# In -------------------------------------------------------------------------------------------------------------------------------

class TenantFile:
    """A file that has been looked at: its manifest has the right shape, its members are those of the manifest."""

    def __init__(self, path):
        self.path = path
        with self.damages():
            self.archive = zipfile.ZipFile(path)
            names = self.archive.namelist()
            if len(names) != len(set(names)) or self.archive.getinfo(MANIFEST).file_size > 10 * _PIECE:
                raise ValueError("two members of one name, or a manifest without end")
            self.manifest = json.loads(self.archive.read(MANIFEST))
            if self.manifest["kind"] != KIND:
                raise ValueError("the manifest is of something else")
            if int(self.manifest["format"]) > FORMAT:
                raise Failure(f"{path} was made by a newer RelyGate (format {self.manifest['format']}, known is {FORMAT})\nUse the scripts of that release.")
            self.tables = self.manifest["tables"]
            for name, known in self.tables.items():
                if type(known["rows"]) is not int or type(known["checksum"]) is not str or type(known["columns"]) is not list:
                    raise ValueError(f"what the manifest says of {name}")
            if not _UUID.fullmatch(self.manifest["tenant"]["id"]) or not all(re.fullmatch(r"\d{4}-\d\d", month) for month in self.manifest["months"]):
                raise ValueError("the tenant's id or the months of its history")
            if set(names) != {MANIFEST, *(name + ".copy" for name in self.tables)}:
                raise ValueError("members that the manifest does not name, or misses")
        self.tenant = self.manifest["tenant"]

    @contextlib.contextmanager
    def damages(self):
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError, RuntimeError) as problem:
            raise Failure(f"{self.path} is damaged or no export of a tenant: {problem}\nExport it again.") from None

    def pour(self, name, descriptor):
        """Writes a member into a pipe; returns how many lines it has."""
        lines, before = 0, b"\n"
        with self.damages(), open(descriptor, "wb") as pipe, self.archive.open(name + ".copy") as member:
            while piece := member.read(_PIECE):
                if b"\n\\." in before + piece:    # psql would read no further, and nobody would empty the pipe
                    raise ValueError(f"an end of data in the middle of {name}")
                before = piece[-2:]
                lines += piece.count(b"\n")
                pipe.write(piece)
        return lines


def document_key(session):
    """Which key the documents' hashes were made with; the key itself goes nowhere."""
    return session.value("SELECT kid FROM relygate_global.signing_keys WHERE purpose = 'document_hash' ORDER BY signs_from DESC LIMIT 1")


def _refuse(session, file, allow_operator):
    if not session.value("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"):
        raise Failure("only a superuser can import: it writes with triggers off, and into the audit log")
    content.same_versions(session, file.manifest, str(file.path))
    tables = content.tenant_tables(session)
    if {table["name"]: table["columns"] for table in tables} != {name: known["columns"] for name, known in file.tables.items()}:
        raise Failure(f"{file.path} has other tables or columns than this database\nExport it again from a database of the same version.")
    there = session.row(f"SELECT id, code FROM relygate.tenants WHERE id = {literal(file.tenant['id'])} OR code = {literal(file.tenant['code'])}")
    if there:
        raise Failure(f"the tenant {there['code']} ({there['id']}) is there already; nothing was touched")
    for table in tables:
        if session.value(f"SELECT EXISTS (SELECT FROM {table['name']} WHERE {_own(table, file.tenant['id'])})"):
            raise Failure(f"rows of this tenant are in {table['name']} already, though the tenant is not; nothing was touched")
    if file.tenant.get("is_operator") and not allow_operator:
        raise Failure(f"{file.tenant['code']} is an operator's tenant: its administrators act for the whole installation\nIf that is meant: --operator.")
    return tables


def _copy(session, file, table, pipe):
    """Rows of one table. What is not the tenant's does not pass, and is missing when it is counted."""
    reader, writer = pipe
    poured = []

    def pour():
        try:
            poured.append(file.pour(table["name"], writer))
        except BrokenPipeError:
            poured.append(None)    # psql has more to say about it
        except Failure as failure:
            poured.append(failure)
    feeder = threading.Thread(target=pour)
    feeder.start()
    try:
        session.execute(f"\\copy {table['name']} ({_columns(table)}) from '/dev/fd/{reader}' where {_own(table, file.tenant['id'])}\n")
    finally:
        feeder.join()
    if isinstance(poured[0], Failure):
        raise poured[0]
    known, found = file.tables[table["name"]], content.measure(session, table, _own(table, file.tenant["id"]))
    if poured[0] != known["rows"] or found["rows"] != known["rows"]:
        raise Failure(f"{table['name']}: of {poured[0]} rows in the file {found['rows']} are the tenant's, and the manifest speaks of {known['rows']}\n"
                      "Rows of another tenant are never imported; nothing was kept.")
    if found["checksum"] != known["checksum"]:
        raise Failure(f"{table['name']}: the rows are not those that were exported; nothing was kept\nExport it again.")
    return known["rows"]


_FOREIGN_KEYS = """
SELECT k.conname AS name, k.conrelid::regclass::text AS child, k.confrelid::regclass::text AS parent,
       (SELECT string_agg(format('c.%I IS NOT NULL AND p.%I = c.%I', a.attname, b.attname, a.attname), ' AND ')
          FROM unnest(k.conkey, k.confkey) x (child, parent)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.child JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = x.parent) AS pairs,
       (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ') FROM unnest(k.conkey) x (child)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.child) AS given
  FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY 2, 1
"""


def _check_references(session, tables, tenant):
    """Foreign keys are triggers, and those were off."""
    keys = {table["name"]: table for table in tables}
    for key in session.rows(_FOREIGN_KEYS):
        if key["child"] in keys and session.value(
                f"SELECT EXISTS (SELECT FROM {key['child']} c WHERE c.{_own(keys[key['child']], tenant)} AND {key['given']} "
                f"AND NOT EXISTS (SELECT FROM {key['parent']} p WHERE {key['pairs']}))"):
            raise Failure(f"rows of {key['child']} point to rows of {key['parent']} that are not there ({key['name']}); nothing was kept")


def bring_in(address, file, allow_operator=False):
    """The whole file in one transaction. Returns the number of rows."""
    pipes = {name: os.pipe() for name in file.tables}
    with Session(address, keep=[reader for reader, _ in pipes.values()]) as session:
        for reader, _ in pipes.values():
            os.close(reader)    # else nobody would notice that psql has gone
        session.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        tables = _refuse(session, file, allow_operator)
        say(f"importing {file.tenant['code']}, {file.tenant['name']}")
        if file.manifest["months"]:
            content.make_months_since(session, min(file.manifest["months"]))
        session.execute("SET LOCAL session_replication_role = replica")
        rows = sum(_copy(session, file, table, pipes[table["name"]]) for table in tables)
        session.execute("SET LOCAL session_replication_role = origin")
        if session.value(f"SELECT t.is_operator OR t.code <> {literal(file.tenant['code'])} FROM relygate.tenants t WHERE t.id = {literal(file.tenant['id'])}") \
                and not (allow_operator and file.tenant.get("is_operator")):
            raise Failure("the tenant's row is not what the manifest says of it; nothing was kept")
        _check_references(session, tables, file.tenant["id"])
        if session.value("SELECT to_regprocedure('relygate.seal_imported(uuid)') IS NOT NULL"):
            # The sealer is held by policies, and made to see by one of its own.
            session.execute(f"SET LOCAL row_security = on; SELECT relygate.seal_imported({literal(file.tenant['id'])}); SET LOCAL row_security = off")
        hashed = session.value(f"SELECT count(*) FROM relygate.visitors WHERE tenant_id = {literal(file.tenant['id'])} AND document_hash IS NOT NULL")
        is_foreign = document_key(session) != file.manifest.get("document_key")
        session.execute("COMMIT")
    if hashed and is_foreign:
        say(f"warning: {hashed} visitors have hashes of documents made with another installation's key; they are not found by document here")
    return rows
