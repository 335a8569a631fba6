"""A cluster of its own for a rehearsal, made by scripts/postgres and gone afterwards. It holds what the backup holds, so it asks for
a password that nobody knows, and its folder is closed. It need not survive a power cut.
"""
import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile

from database import Address, Session
from program import ROOT, Failure, say

_PREFIX = "relygate-verify."


def _postgres(*words, check=True):
    # The caller's umask is not the server's, which may be another user.
    done = subprocess.run([ROOT / "scripts/postgres", *words], capture_output=True, text=True, umask=0o022, stdin=subprocess.DEVNULL)
    if check and done.returncode:
        raise Failure(f"no scratch cluster: {done.stderr.strip()}\nTMPDIR names another place for it.")
    return done.stdout.strip()


def _remove(folder):
    _postgres("stop", folder / "cluster", "immediate", check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers():
    """Of runs that were killed: whoever works holds a lock on the folder."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
            continue
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            say(f"removing the scratch cluster of an interrupted run: {folder}")
            _remove(folder)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def scratch_cluster():
    """The folder and the address of a fresh cluster."""
    _remove_leftovers()
    folder = pathlib.Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        folder.chmod(0o711)    # the server walks through it
        _postgres("create", folder / "cluster")
        address = Address(_postgres("url", folder / "cluster", "rehearsal"))
        with Session(address, "postgres") as session:
            for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "max_wal_size = '4GB'", "autovacuum = off",
                            "maintenance_work_mem = '256MB'"):
                session.execute(f"ALTER SYSTEM SET {setting}")
            session.execute("SELECT pg_reload_conf()")
        yield folder, address
    finally:
        _remove(folder)
        os.close(lock)
