"""scripts/tenant-export and tenant-import: one tenant out and in with its sealed history, nothing of another, and no code in a file."""
import json
import stat
import zipfile

import pytest

from conftest import copy_of_template
from rehearsal import digests, script, source  # noqa: F401 (a fixture)

TENANTS = "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE t.tgname = 'relygate_no_truncate' ORDER BY 1"


def rows_of(database, tenant):
    return digests(database, {name: f"{'id' if name == 'relygate.tenants' else 'tenant_id'} = '{tenant}'" for name, in database.run(TENANTS)})


@pytest.fixture(scope="module")
def other(cluster, template):
    """Another installation: keys of its own, and a tenant of its own."""
    database = copy_of_template(cluster, "test_tenant_import", template)
    database.run("UPDATE relygate_global.signing_keys SET kid = 'of-another-installation' WHERE purpose = 'document_hash'")
    database.run("SELECT relygate.create_tenant(code => 'RESIDENT', name => 'Resident', kind => 'office', time_zone => 'Asia/Dubai', country => 'AE')")
    yield database
    cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def exported(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("tenant") / "north.zip"
    script("tenant-export", source.url("relygate_backup"), "north", path)
    return path


def altered(path, folder, change):
    """A crafted file: change(members) gets the members' bytes by name and the manifest as what JSON makes of it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = json.loads(members["manifest.json"])
    change(members)
    if isinstance(members["manifest.json"], dict):
        members["manifest.json"] = json.dumps(members["manifest.json"]).encode()
    with zipfile.ZipFile(folder / "crafted.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return folder / "crafted.zip"


def everything(database):
    return digests(database, {name: "true" for name, in database.run(TENANTS)})


def test_nothing_of_another_tenant_and_no_key(source, exported):
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    with zipfile.ZipFile(exported) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
        assert json.loads(archive.read("manifest.json"))["tables"]["relygate.visits"]["rows"] == 6
    assert b"Northmark" in text and b"$y$" in text, "rows and password hashes of its own"
    assert b"Southmark" not in text and source.tenants.south.encode() not in text
    kids = [kid for kid, in source.run("SELECT kid FROM relygate_global.signing_keys WHERE purpose <> 'document_hash'")]
    secrets = [secret for secret, in source.run("SELECT coalesce(private_jwk, encode(secret, 'hex')) FROM relygate_global.signing_keys")]
    assert kids and secrets and not any(word.encode() in text for word in kids + secrets)


def test_an_export_that_cannot_be(source, exported, tmp_path):
    before = exported.read_bytes()
    assert "exists" in script("tenant-export", source.url("relygate_backup"), "NORTH", exported, check=1).stderr
    assert exported.read_bytes() == before
    assert "no tenant WEST" in script("tenant-export", source.url("relygate_backup"), "WEST", tmp_path / "x", check=1).stderr
    assert "relygate_backup" in script("tenant-export", source.url("relygate_shim"), "NORTH", tmp_path / "x", check=1).stderr
    assert list(tmp_path.iterdir()) == []


CRAFTED = {
    "a row of another tenant": "Rows of another tenant are never imported",
    "a row of another tenant that nobody counts": "Rows of another tenant are never imported",
    "rows behind carriage returns": "literal carriage return",
    "a row behind an escaped end of line": "extra data",
    "a command of psql behind the end of data": "an end of data in the middle of relygate.purposes",
    "more behind the end of data than a pipe holds": "an end of data in the middle of relygate.purposes",
    "SQL for a column": "other tables or columns",
    "a table of the installation": "other tables or columns",
    "a member beside those of the manifest": "damaged or no export",
    "a changed row": "not those that were exported",
    "an id that is SQL": "damaged or no export",
    "another extension": "was made with version 0.9.0",
    "another migration": "other migrations than this database has: visits",
    "a newer format": "newer RelyGate",
    "another kind": "damaged or no export",
    "history of a thousand years": "which is more than 50 years ago",
    "history of no month": "2026-13 is no month",
}


def craft(name, south, folder):
    def change(members):
        manifest, copies = members["manifest.json"], "relygate.purposes.copy"
        table = manifest["tables"]["relygate.purposes"]
        north = manifest["tenant"]["id"].encode()
        foreign = members[copies].splitlines(True)[0].replace(north, south.encode())
        if name == "a row of another tenant":
            members[copies] += foreign
            table["rows"] += 1
        elif name == "a row of another tenant that nobody counts":
            members[copies] += foreign
        elif name == "rows behind carriage returns":
            members[copies] = members[copies][:-1] + b"\r" + foreign
        elif name == "a row behind an escaped end of line":
            members[copies] = members[copies][:-1] + b"\\\n" + foreign
        elif name == "a command of psql behind the end of data":
            members[copies] += f"\\.\n\\! touch {folder}/ran\n".encode()
        elif name == "more behind the end of data than a pipe holds":
            members[copies] += b"\\.\r\n" + foreign * 20_000
        elif name == "SQL for a column":
            table["columns"][0] = 'x") FROM PROGRAM \'true\' --'
        elif name == "a table of the installation":
            manifest["tables"]["relygate_global.signing_keys"] = {"rows": 0, "checksum": "0", "columns": ["kid"]}
            members["relygate_global.signing_keys.copy"] = b""
        elif name == "a member beside those of the manifest":
            members["../evil"] = b"x"
        elif name == "a changed row":
            members[copies] = members[copies].replace(b"Delivery", b"Deceit!!")
        elif name == "an id that is SQL":
            manifest["tenant"]["id"] = "x'; DROP TABLE relygate.visits; --"
        elif name == "another extension":
            manifest["extension"] = "0.9.0"
        elif name == "another migration":
            manifest["migrations"] = [[change, "0" * 40 if change == "visits" else digest] for change, digest in manifest["migrations"]]
        elif name == "a newer format":
            manifest["format"] = 2
        elif name == "another kind":
            manifest["kind"] = "a backup"
        elif name == "history of a thousand years":
            manifest["months"] = ["1000-01"]
        elif name == "history of no month":
            manifest["months"] = ["2026-13"]
    return change


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_file_is_refused(source, other, exported, tmp_path, name):
    south = other.value("SELECT id::text FROM relygate.tenants WHERE code = 'RESIDENT'")
    before = everything(other)
    said = script("tenant-import", altered(exported, tmp_path, craft(name, south, tmp_path)), other.url(), check=1).stderr
    assert CRAFTED[name] in said
    assert everything(other) == before
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("place", [0.5, 0.999], ids=["a row", "the directory"])
def test_a_damaged_file_is_refused(other, exported, tmp_path, place):
    data = bytearray(exported.read_bytes())
    before = everything(other)
    for name, damaged in (("flipped", data[:int(len(data) * place)] + bytes([data[int(len(data) * place)] ^ 0x55]) + data[int(len(data) * place) + 1:]),
                          ("truncated", data[:int(len(data) * place)])):
        (tmp_path / name).write_bytes(damaged)
        assert "damaged or no export" in script("tenant-import", tmp_path / name, other.url(), check=1).stderr
    assert everything(other) == before


def test_in_with_its_history(source, other, exported):
    said = script("tenant-import", exported, other.url()).stdout
    assert rows_of(other, source.tenants.north) == rows_of(source, source.tenants.north), "the audit not doubled, nothing lost"
    assert "1 visitors have hashes of documents made with another installation's key" in said
    assert other.value("SELECT count(*) FROM relygate.tenants WHERE code = 'SOUTH'") == 0
    findings = {row[0] for row in other.run("SELECT finding FROM relygate.verify_audit()")}
    assert findings <= {"imported"}, findings
    # It lives on here: rules, audit and seals work for it as for any other.
    connection = other.connect(autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (source.tenants.north,))
        cursor.execute("SET LOCAL ROLE relygate_api; UPDATE relygate.sites SET capacity = 500")
    connection.close()
    assert other.value("SELECT count(*) FROM relygate.audit_log WHERE tenant_id = %s", source.tenants.north) == \
        source.value("SELECT count(*) FROM relygate.audit_log WHERE tenant_id = %s", source.tenants.north) + 1
    other.seal()
    assert {row[0] for row in other.run("SELECT finding FROM relygate.verify_audit()")} <= {"imported"}


def test_a_tenant_that_is_there(source, other, exported, tmp_path):
    assert "NORTH" in script("tenant-import", exported, other.url(), check=1).stderr

    def renamed(members):
        members["manifest.json"]["tenant"]["id"] = "00000000-0000-7000-8000-000000000000"
    assert "is there already" in script("tenant-import", altered(exported, tmp_path, renamed), other.url(), check=1).stderr


def test_what_triggers_would_refuse(source, other, tmp_path):
    """Foreign keys are triggers and off meanwhile; an operator's tenant may act for the whole installation."""
    source.run("SET session_replication_role = replica; DELETE FROM relygate.gates WHERE tenant_id = %s; "
               "UPDATE relygate.visits SET gate_in_id = relygate.uuid_v7() WHERE tenant_id = %s", source.tenants.south, source.tenants.south)
    script("tenant-export", source.url(), "SOUTH", tmp_path / "dangling")
    before = everything(other)
    assert "rows of relygate.visits point to rows of relygate.gates" in script("tenant-import", tmp_path / "dangling", other.url(), check=1).stderr
    source.run("SET session_replication_role = replica; UPDATE relygate.visits SET gate_in_id = NULL; UPDATE relygate.tenants SET is_operator = true WHERE code = 'SOUTH'")
    script("tenant-export", source.url(), source.tenants.south, tmp_path / "operator")
    assert "--operator" in script("tenant-import", tmp_path / "operator", other.url(), check=1).stderr
    disguised = altered(tmp_path / "operator", tmp_path, lambda members: members["manifest.json"]["tenant"].update(is_operator=False))
    assert "not what the manifest says" in script("tenant-import", disguised, other.url(), check=1).stderr
    assert everything(other) == before
    script("tenant-import", tmp_path / "operator", other.url(), "--operator")
    assert other.value("SELECT is_operator FROM relygate.tenants WHERE code = 'SOUTH'")
