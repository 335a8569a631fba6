"""Keys at rest: sealed under the key file, opened for relygate_platform alone, and nothing where the file is wrong or gone."""
import contextlib
import hashlib
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile

import psycopg2
import pytest

from client import Client
from conftest import PASSWORD, ROOT

KEYS = "SELECT kid, purpose, private_jwk, secret, sealed FROM relygate_global.signing_keys ORDER BY kid"
HASH = "SELECT relygate.keyed_hash('document_hash', '2345 6789 0124')"
SIGN = "SELECT token FROM relygate.sign_token('0190a5b2-0000-7000-8000-000000000001', '0190a5b2-0000-7000-8000-000000000002', 'host')"


class KeyFile:
    """In a folder that the server's user may enter, and the server's own."""

    def __init__(self, cluster):
        self.owner = os.stat(cluster.directory)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="relygate-keys."))
        self.folder.chmod(0o711)
        self.path = self.folder / "key"

    def give(self, path=None):
        if os.geteuid() == 0:
            os.chown(path or self.path, self.owner.st_uid, self.owner.st_gid)

    def write(self, text, mode=0o600):
        new = self.folder / "key.new"
        new.write_text(text)
        new.chmod(mode)
        self.give(new)
        new.replace(self.path)
        return text

    def make(self):
        return self.write(secrets.token_hex(32) + "\n")

    def run(self, *words, check=0):
        done = subprocess.run([ROOT / "scripts/key-file", *words], capture_output=True, encoding="utf-8")
        assert done.returncode == check, done
        return done


@pytest.fixture(scope="module")
def key_file(cluster):
    made = KeyFile(cluster)
    yield made
    shutil.rmtree(made.folder)


@contextlib.contextmanager
def named(database, key_file):
    """The database with a key file; afterwards its keys stand plain again, whatever has become of the file."""
    key_file.make()
    database.run(f"ALTER DATABASE \"{database.name}\" SET relygate.key_file = '{key_file.path}'")
    try:
        yield database
    finally:
        if database.run("SELECT kid FROM relygate_global.signing_keys WHERE relygate.sealed_under(sealed) = 0"):
            key_file.make()
            database.run("SELECT relygate.replace_lost_keys(true)")
        database.value("SELECT relygate.unseal_keys()")
        database.run(f'ALTER DATABASE "{database.name}" RESET relygate.key_file')


@pytest.fixture
def sealed(database, tenants, key_file):
    """... and every key sealed under it."""
    with named(database, key_file):
        database.value("SELECT relygate.seal_keys()")
        yield database


@contextlib.contextmanager
def acting(database, tenants, user="relygate_shim"):
    connection = database.connect(user, autocommit=False)
    cursor = connection.cursor()

    def ask(sql):
        cursor.execute("ROLLBACK; BEGIN; SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute(sql)
        return cursor.fetchone()[0]
    with contextlib.closing(connection):
        yield ask


def refusal(ask, sql):
    with pytest.raises(psycopg2.Error) as raised:
        ask(sql)
    return raised.value


@pytest.mark.defence("keys-sealed", "new-keys-sealed")
def test_sealing_changes_no_token_and_no_hash(database, tenants, key_file):
    before = database.run(KEYS)
    assert all(key[4] is None for key in before) and {key[1] for key in before} == {"token", "document_hash", "idempotency"}
    with acting(database, tenants) as ask:
        hashed = ask(HASH)
    assert "whoever has a dump" in str(database.run("SELECT finding FROM relygate.key_findings()"))
    with pytest.raises(psycopg2.Error) as refused:
        database.run("SELECT relygate.seal_keys()")
    assert refused.value.pgcode == "F0000" and database.run(KEYS) == before

    with named(database, key_file):
        assert "not sealed: 3" in str(database.run("SELECT finding FROM relygate.key_findings()"))
        assert database.value("SELECT relygate.seal_keys()") == 3 and database.value("SELECT relygate.seal_keys()") == 0
        assert database.run("SELECT * FROM relygate.key_findings()") == []
        assert all(key[2] is key[3] is None and key[4] for key in database.run(KEYS))
        with acting(database, tenants) as ask:
            assert ask(HASH) == hashed and ask(SIGN).count(".") == 2
        rotated = database.value("SELECT relygate.rotate_signing_key('token')")
        assert database.run("SELECT private_jwk, sealed IS NULL FROM relygate_global.signing_keys WHERE kid = %s", rotated) == [(None, False)]
        assert database.value("SELECT relygate.unseal_keys()") == 4
        assert [key for key in database.run(KEYS) if key[0] != rotated] == before


@pytest.mark.defence("keys-sealed")
def test_a_dump_holds_no_key(database, tenants, key_file):
    private = {bytes(key[3]).hex() for key in database.run(KEYS) if key[3]} | {
        database.value("SELECT %s::jsonb ->> 'd'", key[2]) for key in database.run(KEYS) if key[2]}
    dump = ["pg_dump", "--data-only", "--table", "relygate_global.signing_keys", database.url()]
    plain = subprocess.run(dump, check=True, capture_output=True, encoding="utf-8").stdout
    assert len(private) >= 3 and all(secret in plain for secret in private)
    with named(database, key_file):
        database.run("SELECT relygate.seal_keys()")
        assert not [secret for secret in private if secret in subprocess.run(dump, check=True, capture_output=True, encoding="utf-8").stdout]
        assert key_file.path.read_text().strip() not in subprocess.run(
            ["pg_dump", "--create", database.url()], check=True, capture_output=True, encoding="utf-8").stdout


@pytest.mark.defence("keys-sealed", "new-keys-sealed", "keys-bound-to-row")
def test_a_sealed_key_opens_in_its_own_row_alone(sealed, tenants):
    sealed.run("SELECT relygate.rotate_signing_key('otp_hash')")
    try:
        rows = dict(sealed.run("SELECT purpose, sealed FROM relygate_global.signing_keys WHERE purpose IN ('otp_hash', 'document_hash')"))
        # Closed whatever comes: its locks would keep all that follow waiting.
        with contextlib.closing(sealed.connect(autocommit=False)) as connection:
            cursor = connection.cursor()
            for purpose, other in (("otp_hash", "document_hash"), ("document_hash", "otp_hash")):
                cursor.execute("UPDATE relygate_global.signing_keys SET sealed = %s WHERE purpose = %s", (rows[other], purpose))
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
            with pytest.raises(psycopg2.Error) as refused:
                cursor.execute(HASH)
        assert refused.value.pgcode == "XX001" and "another" not in refused.value.diag.message_primary
    finally:
        sealed.run("DELETE FROM relygate_global.signing_keys WHERE purpose = 'otp_hash'")


@pytest.mark.defence("keys-sealed", "key-file-read-anew")
def test_rotation_of_the_key_file(sealed, tenants, key_file):
    with acting(sealed, tenants) as ask:
        hashed = ask(HASH)
        first = key_file.path.read_text()
        key_file.run("rotate", key_file.path)
        assert key_file.path.read_text().splitlines()[1:] == first.split() and key_file.path.stat().st_mode & 0o777 == 0o600
        assert ask(HASH) == hashed, "the old key still opens"
        count = sealed.value("SELECT count(*) FROM relygate_global.signing_keys")
        assert sealed.run("SELECT finding FROM relygate.key_findings()") == [(f"keys sealed under an older key of the key file: {count}",)]
        assert sealed.value("SELECT relygate.seal_keys()") == count >= 3
        key_file.run("trim", key_file.path)
        assert len(key_file.path.read_text().splitlines()) == 1 and first.strip() not in key_file.path.read_text()
        assert ask(HASH) == hashed and sealed.run("SELECT * FROM relygate.key_findings()") == []


@pytest.mark.defence("keys-sealed", "key-file-read-anew")
def test_an_open_session_notices_another_file(sealed, tenants, key_file):
    """Fails closed, says what to do and not where the file is, and goes on when the right one is back."""
    with acting(sealed, tenants) as ask:
        token = ask(SIGN)
        right = key_file.path.read_text()
        key_file.make()
        wrong = refusal(ask, SIGN)
        assert wrong.pgcode == "F0000" and "A lost key file" in wrong.diag.message_hint and str(key_file.folder) not in str(wrong)
        assert "does not open: " in str(sealed.run("SELECT finding FROM relygate.key_findings()"))
        key_file.path.unlink()
        assert refusal(ask, SIGN).diag.message_primary == "the key file cannot be used: it does not exist"
        key_file.write(right)
        assert ask(SIGN).count(".") == token.count(".") == 2


@pytest.mark.defence("keys-sealed", "key-file-read-anew")
def test_a_wrong_file_over_http(sealed, tenants, key_file, shims):
    shim = shims(sealed)
    right = key_file.path.read_text()
    guard = tenants.client(shim)
    key_file.make()
    answer = Client(shim.url).post("/api/auth/login", {"tenant": "NORTH", "userName": "guard", "password": PASSWORD}, token=False)
    assert answer.status == 500 and answer.code == "internal" and b"key" not in answer.raw.lower()
    assert guard.get("/api/auth/userinfo").status == 200, "who is logged in goes on: the public keys are in the database"
    key_file.write(right)
    tenants.client(shim)
    shim.stop()


@pytest.mark.defence("keys-sealed", "new-keys-sealed", "key-file-read-anew")
def test_a_lost_key_file(sealed, tenants, key_file, shims):
    shim = shims(sealed)
    guard = tenants.client(shim)
    with acting(sealed, tenants) as ask:
        hashed = ask(HASH)
        key_file.path.unlink()
        for call, code in (("false", "22023"), ("true", "F0000")):
            with pytest.raises(psycopg2.Error) as refused:
                sealed.run(f"SELECT relygate.replace_lost_keys({call})")
            assert refused.value.pgcode == code
        key_file.make()
        lost = dict(sealed.run("SELECT purpose, lost FROM relygate.replace_lost_keys(true)"))
        assert set(lost) == {"token", "document_hash", "idempotency"} and "logs in again" in lost["token"]
        assert sealed.run("SELECT * FROM relygate.key_findings()") == []
        assert ask(HASH) != hashed
        assert sealed.run("SELECT * FROM relygate.replace_lost_keys(true)") == []
    other = shims(sealed)    # it has read the new keys alone
    assert Client(other.url, guard.token).get("/api/auth/userinfo").status == 401
    tenants.client(other)
    shim.stop()
    other.stop()


@pytest.mark.defence("keys-sealed")
def test_the_doctor_looks_at_keys(sealed, key_file):
    def doctor():
        return subprocess.run([ROOT / "scripts/doctor", sealed.url()], capture_output=True, encoding="utf-8", check=False).stdout
    assert "good  they are kept under a key file" in doctor()
    key_file.make()
    assert "bad   relygate_global.signing_keys: keys that the key file does not open: " in doctor()
    key_file.path.unlink()
    assert "bad   setting relygate.key_file: the key file cannot be used: it does not exist" in doctor()


GOOD = "ab12" * 16
CHECKED = {    # by owner, mode and kind of the file
    "others may read or write it": lambda file: file.write(GOOD, 0o644),
    "others may read or write it; its mode must be 0600": lambda file: file.write(GOOD, 0o620),
    "it is not a regular file": lambda file: file.path.mkdir(),
}
FOUND = {
    "it does not exist": lambda file: None,
    "it is larger than 4096 bytes": lambda file: file.write(GOOD + "\n" + "#" * 4096),
    "a line is not 64 hexadecimal digits": lambda file: file.write(GOOD[1:]),
    "it holds no key": lambda file: file.write("# nothing\n"),
}
if os.geteuid() == 0:
    CHECKED["it belongs neither to the server's user nor to root"] = lambda file: (file.write(GOOD, 0o604), os.chown(file.path, 12345, 12345))
    FOUND["the server's user may not open it"] = lambda file: (file.write(GOOD), os.chown(file.path, 0, 0))


@pytest.mark.parametrize("problem", [pytest.param(problem, marks=pytest.mark.defence("key-file-checked")) for problem in CHECKED] + list(FOUND))
def test_a_file_that_cannot_be_used(database, key_file, problem):
    with contextlib.suppress(FileNotFoundError):
        key_file.path.unlink()
    (CHECKED | FOUND)[problem](key_file)
    connection = database.connect()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('relygate.key_file', %s, false)", (str(key_file.path),))
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute("SELECT relygate.seal_secret('x', 'kid', 'token')")
        assert refused.value.pgcode == "F0000" and f"the key file cannot be used: {problem}" in refused.value.diag.message_primary
        assert str(key_file.folder) not in str(refused.value)
        cursor.execute("SELECT object, finding FROM relygate.key_findings()")
        assert problem in str(cursor.fetchall())
    finally:
        connection.close()
        if key_file.path.is_dir():
            key_file.path.rmdir()


@pytest.mark.defence("key-file-setting")
@pytest.mark.parametrize("role", ["relygate_api", "relygate_owner", "relygate_reporting", "relygate_platform"])
def test_only_a_superuser_sets_or_sees_the_file(sealed, key_file, role):
    connection = sealed.connect()
    cursor = connection.cursor()
    cursor.execute(f"SET ROLE {role}")
    for statement in ("SET relygate.key_file = '/etc/passwd'", "SELECT set_config('relygate.key_file', '', false)", "SHOW relygate.key_file"):
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute(statement)
        assert refused.value.pgcode == "42501", statement
    cursor.execute("SELECT setting FROM pg_settings WHERE name = 'relygate.key_file'")
    assert cursor.fetchall() in ([], [(None,)])
    cursor.execute("RESET ROLE")
    cursor.execute("SHOW relygate.key_file")
    assert cursor.fetchone()[0] == str(key_file.path)
    with pytest.raises(psycopg2.Error) as refused:
        cursor.execute("SET relygate.key_file = 'key'")
    assert refused.value.pgcode == "22023"
    connection.close()


@pytest.mark.defence("keys-for-platform")
@pytest.mark.parametrize("role", ["relygate_owner", "relygate_reporting", "relygate_audit"] + [
    pytest.param(role, marks=pytest.mark.defence("signing-keys-closed")) for role in ("relygate_api", "relygate_shim")])
def test_nobody_else_opens_a_key(database, role):
    connection = database.connect()
    cursor = connection.cursor()
    cursor.execute(f"SET ROLE {role}")
    for call in ("relygate.open_secret('x', 'y', 'z')", "relygate.seal_secret('x', 'y', 'z')", "relygate.sealed_under('x')", "relygate.seal_keys()",
                 "relygate.unseal_keys()", "relygate.replace_lost_keys(true)", "relygate.key_file_problem()",
                 "(SELECT sealed FROM relygate_global.signing_keys LIMIT 1)"):
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute(f"SELECT {call}")
        assert refused.value.pgcode == "42501", call
    connection.close()


def test_a_key_file_is_made_once(key_file):
    path = key_file.folder / "made"
    key_file.run("new", path)
    assert path.stat().st_mode & 0o777 == 0o600 and len(path.read_text().strip()) == 64
    before = path.read_text()
    assert "already" in key_file.run("new", path, check=1).stderr and path.read_text() == before
    for _ in range(7):
        key_file.run("rotate", path)
    assert "8 keys" in key_file.run("rotate", path, check=1).stderr and len(path.read_text().splitlines()) == 8
    assert "no file" in key_file.run("trim", key_file.folder / "nothing", check=1).stderr
    for words, code in ((["--help"], 0), ([], 2), (["new"], 2), (["burn", path], 2)):
        assert "usage:" in (done := key_file.run(*words, check=code)).stdout + done.stderr


@pytest.fixture(scope="module")
def writer(tenants, shim):
    return tenants.client(shim, "north", "admin")


def repeat(client, key, body):
    return client.post("/api/gates", body, headers={"Idempotency-Key": key})


@pytest.mark.defence("idempotency-digest-keyed")
def test_the_digest_of_a_request_cannot_be_made_without_the_key(database, writer):
    body = b'{"name": "East gate"}'
    assert repeat(writer, "east", body).status == 201
    kept = bytes(database.value("SELECT request_digest FROM relygate.idempotency_keys WHERE key = 'east'"))
    assert len(kept) == 32 and kept != hashlib.sha256(b"POST\n/api/gates\n\n" + body).digest()


def test_what_was_asked_under_1_0_0_is_known_again(database, writer):
    body = b'{"name": "North gate"}'
    first = repeat(writer, "north", body)
    database.run("UPDATE relygate.idempotency_keys SET request_digest = %s WHERE key = 'north'", hashlib.sha256(b"POST\n/api/gates\n\n" + body).digest())
    assert repeat(writer, "north", body).data == first.data
    assert repeat(writer, "north", b'{"name": "South gate"}').status == 422


@pytest.mark.defence("idempotency-digest-keyed")
def test_a_new_key_is_heard_by_every_backend(database, writer):
    body = b'{"name": "West gate"}'
    first = repeat(writer, "west", body)
    assert repeat(writer, "west", body).data == first.data
    database.run("SELECT relygate.rotate_signing_key('idempotency')")
    assert repeat(writer, "west", body).status == 422
    assert database.value("SELECT count(*) FROM relygate_global.signing_keys WHERE purpose = 'idempotency'") == 1
