"""scripts/postgres: the private clusters of make run, the benchmark and the tests."""
import pathlib
import re
import shutil
import subprocess

import psycopg2
import pytest

from conftest import ROOT


def postgres(*words):
    return subprocess.run([ROOT / "scripts/postgres", *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o711)   # the server's user passes through
    yield tmp_path
    for postmaster in tmp_path.rglob("postmaster.pid"):
        postgres("stop", postmaster.parent, "immediate")
    shutil.rmtree(tmp_path)


def test_a_cluster_is_reached_by_its_unix_socket_with_a_password(folder):
    cluster = folder / "cluster"
    postgres("create", cluster)
    url = postgres("url", cluster)
    password, port = re.fullmatch(r"postgresql://postgres:(\w+)@127\.0\.0\.1:(\d+)/postgres", url).groups()
    assert postgres("socket", cluster) == str(cluster)
    connection = psycopg2.connect(f"postgresql://postgres:{password}@/postgres?host={cluster}&port={port}")
    cursor = connection.cursor()
    cursor.execute("SELECT inet_client_addr() IS NULL")
    assert cursor.fetchone() == (True,)
    connection.close()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(f"postgresql://postgres:wrong@/postgres?host={cluster}&port={port}")
    assert (cluster.stat().st_mode & 0o777) == 0o700     # nobody else comes as far as asking
    postgres("stop", cluster)
    assert postgres("socket", cluster) == ""


@pytest.mark.parametrize("name", ["x" * 100, "a name with blanks & more"])
def test_where_clients_cannot_name_the_socket_there_is_tcp(folder, name):
    cluster = pathlib.Path(folder / name / "cluster")
    postgres("create", cluster)
    assert postgres("socket", cluster) == ""
    psycopg2.connect(postgres("url", cluster)).close()
