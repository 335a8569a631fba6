"""What the tests of upgrades share: databases of a released version, and a snapshot of one that can be compared.

The snapshot is pg_dump in the mode of pg_upgrade, which shows an extension's members one by one, with owners, rights, initial
rights and comments: found by it were a forgotten PARALLEL, a forgotten REVOKE, a constraint's name.
"""
import pathlib
import re
import secrets
import subprocess

from conftest import ROOT, Database

NUMBERS = re.compile(r"^(--|$|\\)|binary_upgrade_(set_(next|missing)|create_empty)|relfrozenxid|WHERE (oid|attrelid) = '\d+'")


def empty_database(cluster):
    name = "test_" + secrets.token_hex(6)
    cluster.run(f'CREATE DATABASE "{name}"')
    return Database(cluster, name)


def snapshot(database, *options):
    dump = subprocess.run(["pg_dump", "--binary-upgrade", "--schema-only", "--exclude-schema", "sqitch", *options, database.url()],
                          check=True, capture_output=True, encoding="utf-8").stdout
    return {name.strip(): [line for line in body.splitlines() if not NUMBERS.search(line)]
            for name, body in (part.split("\n", 1) for part in dump.split("\n-- Name: ")[1:])}


def differences(fresh, upgraded):
    """Objects that are not the same in both, each with its lines."""
    return {name: (fresh.get(name), upgraded.get(name)) for name in sorted(set(fresh) | set(upgraded)) if fresh.get(name) != upgraded.get(name)}


def routes(database):
    return database.run("SELECT * FROM relygate.product_routes ORDER BY method, pattern")


def extension_folder(database):
    return pathlib.Path(database.value("SELECT setting FROM pg_config WHERE name = 'SHAREDIR'")) / "extension"


def install(database, *names):
    """Scripts by their path into the extension's folder of the server, under names that no release has."""
    folder = extension_folder(database)
    for path in names:
        subprocess.run(["install", "-m", "644", path, folder], check=True)
    return [f"{folder}/{path.name}" for path in names]


def upgrade_script(*paths, check=True):
    return subprocess.run([ROOT / "scripts/upgrade-script", *paths], check=check, capture_output=True, encoding="utf-8")
