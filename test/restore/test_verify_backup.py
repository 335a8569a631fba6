"""scripts/verify-backup: a rehearsal that says what it compared, and finds what was changed before the backup was taken."""
import os
import shutil
import tempfile

import pytest

from rehearsal import backup, backup_of, copy_of, script, source  # noqa: F401 (fixtures)


@pytest.fixture
def room():
    """A TMPDIR that the server can walk through, empty afterwards."""
    folder = tempfile.mkdtemp(prefix="relygate-test.")
    os.chmod(folder, 0o711)
    yield folder
    left = os.listdir(folder)
    shutil.rmtree(folder)
    assert left == [], "a rehearsal leaves nothing behind"


def test_while_writers_work(source, tmp_path, room):
    """Between the snapshot and the dump rows come, change and go: the manifest speaks of the same rows as the dump."""
    changes = (f"SET app.tenant_id = '{source.tenants.north}'; SET ROLE relygate_api; "
               "INSERT INTO relygate.visitors (first_name) VALUES ('Meanwhile'); UPDATE relygate.sites SET capacity = 77; DELETE FROM relygate.tenant_settings")
    (tmp_path / "pg_dump").write_text(f'#!/bin/sh\npsql -Xq -d {source.url()} -c "{changes}" && touch {tmp_path}/changed && exec {shutil.which("pg_dump")} "$@"\n')
    (tmp_path / "pg_dump").chmod(0o755)
    made = backup_of(source, tmp_path / "made", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (tmp_path / "changed").exists()
    assert source.value("SELECT count(*) FROM relygate.visitors WHERE first_name = 'Meanwhile'") == 1
    said = script("verify-backup", made, TMPDIR=room).stdout
    for part in ("SHA-256", "number and checksum of each", "policies", "grants", "1 bindings", "event triggers", "the chain is whole up to", "can be restored"):
        assert part in said, f"{part!r} is not in:\n{said}"


def test_an_audit_that_was_changed(source, tmp_path, room):
    """A superuser who takes the guard away can change history; the backup has it as it is, and the rehearsal says so."""
    source.run("ALTER EVENT TRIGGER relygate_guard_ddl DISABLE; ALTER EVENT TRIGGER relygate_guard_audit_ddl DISABLE; ALTER TABLE relygate.audit_log DISABLE TRIGGER append_only; "
               "UPDATE relygate.audit_log SET database_role = 'nobody' WHERE id = (SELECT min(id::text)::uuid FROM relygate.audit_log); "
               "ALTER TABLE relygate.audit_log ENABLE ALWAYS TRIGGER append_only; "
               "ALTER EVENT TRIGGER relygate_guard_audit_ddl ENABLE; ALTER EVENT TRIGGER relygate_guard_ddl ENABLE")
    said = script("verify-backup", backup_of(source, tmp_path), TMPDIR=room, check=1).stderr
    assert "the audit is not what was sealed" in said and "changed: " in said


def test_a_damaged_backup_needs_no_rehearsal(source, backup, tmp_path, room):
    made = copy_of(backup, tmp_path)
    with open(made / "globals.sql", "ab") as file:
        file.write(b"\n")
    for words in ((), ("--checksums",)):
        assert "globals.sql has" in script("verify-backup", *words, made, check=1, TMPDIR=room).stderr
    assert "can be restored" not in script("verify-backup", "--checksums", backup, TMPDIR=room).stdout
