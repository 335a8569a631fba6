"""Backups on disk: a folder each, relygate-DATABASE-TIME, with the dump, the roles, the catalog and the manifest that binds them.

A backup is made under another name (.relygate-DATABASE-TIME.partial), written through to the disk and renamed last: what has the
right name was complete. The maker and what it starts hold a lock on the unfinished folder, so a leftover can be told from one
that is being made, also after kill -9.
"""
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import time
import urllib.parse

from program import Failure, say

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.json.sha256"
DUMP, GLOBALS, CATALOG = "database", "globals.sql", "catalog.json"
_NAME = re.compile(r"relygate-(?P<database>.+)-(?P<time>\d{8}T\d{6}Z)(?:-\d+)?")


_TEXT, _TEXT_OR_NONE = (str,), (str, type(None))
_ROLE = re.compile(r'[a-z_][a-z0-9_]*|"(?:[^"\0]|"")+"')    # as the catalog quotes it: it stands in statements as it is
# A tuple: types of a value, or shapes. A pattern: how it is written. A frozen set: what it may be. A dictionary: what must be in one. A list of one: what each item, or each value of a dictionary, must be.
_SHAPE = {
    "format": (int,), "taken_at": _TEXT, "server_version_num": (int,), "extension": _TEXT, "extensions": [_TEXT], "roles": [_TEXT],
    "migrations": [[_TEXT]], "audit_head": _TEXT_OR_NONE, "tables": [{"rows": (int,), "checksum": _TEXT}],
    "files": [{"bytes": (int,), "sha256": _TEXT}],
    "database": {"name": _TEXT, "owner": _ROLE, "encoding": _TEXT, "collate": _TEXT, "ctype": _TEXT, "provider": frozenset("cib"), "locale": _TEXT_OR_NONE,
                 "connection_limit": (int,), "comment": _TEXT_OR_NONE, "grants": (type(None), [{"grantee": (type(None), _ROLE), "grantable": (bool,),
                                                                                      "privilege": frozenset(("CREATE", "TEMPORARY", "CONNECT"))}]),
                 "settings": [{"role": (type(None), _ROLE), "setting": _TEXT}]}}
_DICTIONARIES = ("tables", "files")


def _misfit(value, shape, name=""):
    """The name of the first part that has not its shape, None where all have."""
    if isinstance(shape, tuple):
        fits = (type(value) is one if isinstance(one, type) else _misfit(value, one, name) is None for one in shape)
        return None if any(fits) else name
    if isinstance(shape, re.Pattern):
        return None if type(value) is str and shape.fullmatch(value) else name
    if isinstance(shape, frozenset):
        return None if type(value) is str and value in shape else name
    if isinstance(shape, dict):
        if type(value) is not dict:
            return name or "part"
        parts = [(value.get(key, ...), part, f"{name}.{key}".lstrip(".")) for key, part in shape.items()]
    else:
        if type(value) is not (dict if name in _DICTIONARIES else list):
            return name
        parts = [(item, shape[0], f"{name}[{key}]") for key, item in (value.items() if type(value) is dict else enumerate(value))]
    return next((wrong for wrong in (_misfit(*part) for part in parts) if wrong is not None), None)


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_through(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class NewBackup:
    """A folder that becomes a backup by finish(), or is gone."""

    def __init__(self, parent, database):
        self.parent, self.database = pathlib.Path(parent), database
        self.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stem = f"relygate-{urllib.parse.quote(database, safe='')}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        self.name, number = stem, 1
        while (self.parent / self.name).exists() or (self.parent / f".{self.name}.partial").exists():
            number += 1
            self.name = f"{stem}-{number}"
        self.path = self.parent / f".{self.name}.partial"
        self.path.mkdir(mode=0o700)
        self.lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.lock)
        shutil.rmtree(self.path, ignore_errors=True)    # after finish() there is none of this name

    def finish(self, manifest):
        """Writes the manifest and gives the folder its name. Returns the path and the digest of the manifest."""
        manifest["files"] = {name: {"bytes": (self.path / name).stat().st_size, "sha256": digest_of(self.path / name)}
                             for name in _files(self.path)}
        (self.path / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        digest = digest_of(self.path / MANIFEST)
        (self.path / SEAL).write_text(f"{digest}  {MANIFEST}\n", encoding="ascii")
        for path in [*self.path.rglob("*"), self.path]:
            write_through(path)
        os.rename(self.path, self.parent / self.name)
        write_through(self.parent)
        return self.parent / self.name, digest


def remove_leftovers(parent, database):
    """Unfinished backups whose maker is gone."""
    for path in pathlib.Path(parent).glob(".relygate-*.partial"):
        named = _NAME.fullmatch(path.name[1:-len(".partial")])
        if not named or urllib.parse.unquote(named["database"]) != database or path.is_symlink() or not path.is_dir():
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            say(f"removing what an interrupted run left: {path.name}")
            shutil.rmtree(path)
        finally:
            os.close(descriptor)


def read_manifest(path):
    """The manifest, if it is what its own digest says."""
    path = pathlib.Path(path)
    if not path.is_dir():
        raise Failure(f"{path} is no backup: a backup is a folder that scripts/backup made")
    if path.name.endswith(".partial"):
        raise Failure(f"{path} is unfinished: the run that made it was interrupted\nTake another backup.")
    try:
        text = (path / MANIFEST).read_bytes()
        seal = (path / SEAL).read_text(encoding="ascii").split()
    except (FileNotFoundError, UnicodeDecodeError):
        raise Failure(f"{path} is damaged or no backup: {MANIFEST} or {SEAL} is missing\nTake another backup.") from None
    if not seal or hashlib.sha256(text).hexdigest() != seal[0]:
        raise Failure(f"{path} is damaged: {MANIFEST} is not what {SEAL} says\nTake another backup.")
    try:
        manifest = json.loads(text)
        number = int(manifest["format"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Failure(f"{path} is damaged: {MANIFEST} cannot be read\nTake another backup.") from None
    if number > FORMAT:
        raise Failure(f"{path} was made by a newer RelyGate (format {number}, known is {FORMAT})\nUse the scripts of that release.")
    wrong = _misfit(manifest, _SHAPE)
    if wrong is not None:
        raise Failure(f"{path} is damaged: {MANIFEST} has no {wrong}, or not of the kind that it should be\nTake another backup.")
    return manifest


def check(path, manifest):
    """Each file against its size and SHA-256."""
    path = pathlib.Path(path)
    for name in (GLOBALS, CATALOG, DUMP + "/toc.dat" if (path / DUMP).is_dir() else DUMP):
        if name not in manifest["files"]:
            raise Failure(f"{path} is damaged: {MANIFEST} says nothing of {name}\nTake another backup.")
    for name, known in manifest["files"].items():
        file = path / name
        if not file.is_file():
            raise Failure(f"{path} is damaged: {name} is missing\nTake another backup.")
        if file.stat().st_size != known["bytes"]:
            raise Failure(f"{path} is damaged: {name} has {file.stat().st_size} bytes instead of {known['bytes']}\nTake another backup.")
        if digest_of(file) != known["sha256"]:
            raise Failure(f"{path} is damaged: {name} is not what it was when the backup was made (SHA-256)\nTake another backup.")


def prune(parent, database, keep):
    """Leaves the newest `keep` whole backups of the database and removes what is older than those. A damaged one counts for
    nothing and stays for somebody to look at; so do folders that no manifest tells to be a backup of this database."""
    found = []
    for path in pathlib.Path(parent).glob("relygate-*"):
        named = _NAME.fullmatch(path.name)
        if named and not path.is_symlink() and path.is_dir() and urllib.parse.unquote(named["database"]) == database:
            found.append(((named["time"], len(path.name), path.name), path))
    whole = 0
    for _, path in sorted(found, reverse=True):
        try:
            manifest = read_manifest(path)
            if manifest["database"]["name"] != database:
                continue
            check(path, manifest)
        except (Failure, OSError, KeyError, TypeError) as problem:
            say(f"warning: not counted and not removed: {str(problem).splitlines()[0]}")
            continue
        if whole >= keep:
            # Out of the way first: half removed it must not look like a backup.
            doomed = path.parent / f".{path.name}.partial"
            os.rename(path, doomed)
            shutil.rmtree(doomed)
            say(f"removed the older backup {path.name}")
        whole = min(whole + 1, keep)
