"""What the shim says of its environment, and whom it refuses to serve as."""
import os
import subprocess

import pytest

from conftest import BUILD, ROOT, free_port, wait_until
from toy import get, run_shim, toy  # noqa: F401  (fixtures)

GOOD = {"DATABASE_URL": "postgresql://relygate_shim:a%21b@db.internal:5432/relygate"}

# The production block of the operations guide, without the comments behind values and with one place for the database.
GUIDE = {
    "NODE_ENV": "production", "PORT": "3000", "JWT_SECRET": "super-secure-production-jwt-secret-256-bit-key", "JWT_EXPIRATION": "8h",
    "DB_HOST": "prod-postgres-cluster.internal", "DB_PORT": "5432", "DB_NAME": "relygate_production", "DB_USER": "relygate_prod_user",
    "DB_PASSWORD": "Pr0d!", "DB_POOL_MIN": "10", "DB_POOL_MAX": "50", "DB_POOL_IDLE_TIMEOUT": "30000", "DB_POOL_CONNECTION_TIMEOUT": "5000",
    "DB_SSL": "true", "DB_SSL_REJECT_UNAUTHORIZED": "true", "SMS_ENABLED": "true", "TWILIO_ACCOUNT_SID": "x", "HELMET_ENABLED": "true",
    "RATE_LIMIT_ENABLED": "true", "REQUEST_TIMEOUT": "30000", "BODY_LIMIT": "30mb",
    "ALLOWED_ORIGINS": "https://app.relygate.com,https://admin.relygate.com", "MAX_FILE_SIZE": "25MB", "RATE_LIMIT_WINDOW": "15",
    "HEALTH_CHECK_INTERVAL": "30s", "HEALTH_CHECK_TIMEOUT": "30s", "LOG_LEVEL": "warn", "ENABLE_METRICS": "true", "METRICS_PORT": "9090",
    "LOG_FORMAT": "json", "CLUSTER_WORKERS": "0", "BACKUP_ENABLED": "true", "CACHE_TTL": "300"}


def check(**environment):
    run = run_shim(BUILD, "--check-config", **environment)
    return run.returncode, run.stdout + run.stderr


def test_a_good_environment():
    assert check(**GOOD) == (0, "the configuration is good\n")


def test_the_guide_s_environment_is_good_and_what_is_unused_is_said():
    status, text = check(**GUIDE)
    assert status == 0, text
    for name in ("CACHE_TTL", "SMS_ENABLED", "BACKUP_ENABLED"):
        assert f"{name}: is not used by this version" in text, text


def test_every_wrong_variable_is_named_at_once(tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("\n")
    wrong = {
        "PORT": "70000", "METRICS_PORT": "x", "DATABASE_URL": "postgresql://a:b@c:d:e/f", "DB_POOL_MAX": "2", "DB_POOL_IDLE_TIMEOUT": "soon",
        "JWT_SECRET": "short", "JWT_EXPIRATION": "8 hours", "ALLOWED_ORIGINS": "https://app.example/", "BODY_LIMIT": "10 megabytes",
        "REQUEST_TIMEOUT": "-1", "LOG_LEVEL": "loud", "LOG_FORMAT": "text", "LOG_DESTINATION": "syslog", "ENABLE_METRICS": "maybe",
        "CLUSTER_WORKERS": "0  # 0 = number of CPU cores", "NODE_ENV": "prod", "JWT_LEEWAY": "1y", "JWKS_FILE": "/nowhere",
        "DB_SSL_CA_CERT": "/nowhere", "DB_PASSWORD_FILE": str(empty)}
    status, text = check(**wrong)
    assert status != 0
    for name in wrong:
        assert f"relygate-shim: {name}: " in text, f"{name} is not named in\n{text}"
    assert "comment" in text, text
    assert "a:b" not in text and "short" not in text, "a secret was printed"


def test_a_wrong_url_hides_no_other_variable_of_the_database():
    wrong = {"DATABASE_URL": "mysql://x", "DB_PORT": "99999", "DB_SSL": "maybe", "DB_SSL_REJECT_UNAUTHORIZED": "no?", "DB_SSL_CLIENT_KEY": "/nowhere"}
    status, text = check(**wrong)
    assert status == 78 and [name for name in wrong if f"relygate-shim: {name}: " not in text] == [], text


@pytest.mark.parametrize("name, environment", [
    ("DB_HOST", {"DB_HOST": "elsewhere"}),
    ("DB_PASSWORD", {"DB_PASSWORD": "another"}),
    ("MAX_FILE_SIZE", {"MAX_FILE_SIZE": "25MB", "BODY_LIMIT": "10mb"}),
    ("METRICS_PORT", {"PORT": "9090"}),
    ("DB_POOL_MIN", {"DB_POOL_MIN": "30", "DB_POOL_MAX": "20"}),
    ("DB_POOL_MAX", {"DB_POOL_MAX": "10", "CLUSTER_WORKERS": "4"}),
    ("LOG_FILE_PATH", {"LOG_DESTINATION": "file"}),
    ("JWT_SECRET", {"JWT_SECRET": ""}),
    ("JWT_SECRET", {"JWT_SECRET": "x" * 40, "JWT_SECRET_FILE": "/etc/hostname"}),
    ("DB_SSL_CLIENT_CERT", {"DB_SSL": "true", "DB_SSL_CLIENT_CERT": "/etc/hostname"}),
    ("ALLOWED_ORIGINS", {"ALLOWED_ORIGINS": "*"}),
])
def test_values_that_do_not_fit_together(name, environment):
    status, text = check(**{**GOOD, **environment})
    assert status != 0 and f"relygate-shim: {name}: " in text, text


def test_a_misspelt_name_is_noted():
    status, text = check(**GOOD, DB_POOL_MAXIMUM="3")
    assert status == 0 and "DB_POOL_MAXIMUM: is no variable of the shim" in text


def test_a_wrong_environment_is_no_start():
    run = run_shim(BUILD, PORT="x", **GOOD)
    assert run.returncode != 0 and "PORT" in run.stderr


def test_version_help_and_unknown_options():
    assert run_shim(BUILD, "--version").stdout.startswith("relygate-shim 1.")
    text = run_shim(BUILD, "--help").stdout
    assert "DB_POOL_MAX" in text and "--check-config" in text
    assert run_shim(BUILD, "--fast").returncode != 0


def test_the_url_from_a_file(toy, shims, tmp_path):
    secret = tmp_path / "url"
    secret.write_text(toy.url("relygate_shim") + "\n")
    shim = shims(toy, DATABASE_URL="", DATABASE_URL_FILE=str(secret))
    assert get(shim, "/api/echo").status == 200


def test_settings_reach_the_database(toy, shims):
    shim = shims(toy, REQUEST_TIMEOUT="7000", JWT_EXPIRATION="2h", JWT_ISSUER="https://gate one\\example")
    assert get(shim, "/api/echo").json["data"]["settings"] == {
        "statement_timeout": "1s", "token_lifetime": "7200", "token_issuer": "https://gate one\\example"}
    assert get(shim, "/api/echo", method="POST").json["data"]["settings"]["statement_timeout"] == "7s"


def test_a_port_that_is_taken_is_an_error_also_with_several_workers(toy, shims):
    shim = shims(toy)
    for workers in ("1", "2"):
        run = run_shim(BUILD, **{**shim.environment, "METRICS_PORT": str(free_port()), "CLUSTER_WORKERS": workers})
        assert run.returncode != 0 and "cannot listen" in run.stderr, run


@pytest.mark.parametrize("attribute", ["SUPERUSER", "BYPASSRLS"])
def test_a_role_that_row_level_security_does_not_hold_is_refused(attribute, cluster, toy):
    """rls-002"""
    role = f"forbidden_{attribute.lower()}_{os.getpid()}"
    cluster.run(f"CREATE ROLE {role} LOGIN {attribute}")
    try:
        port = free_port()
        run = run_shim(BUILD, DATABASE_URL=toy.url(role), PORT=str(port), METRICS_PORT=str(free_port()))
        assert run.returncode != 0 and attribute in run.stderr and role in run.stderr, run
    finally:
        cluster.run(f"DROP ROLE {role}")


def test_a_role_that_becomes_forbidden_ends_the_shim(cluster, toy, shims):
    role = f"turned_{os.getpid()}"
    cluster.run(f"CREATE ROLE {role} LOGIN")
    try:
        shim = shims(toy, DATABASE_URL=toy.url(role))
        cluster.run(f"ALTER ROLE {role} BYPASSRLS")
        cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
        wait_until(lambda: shim.process.poll() is not None, 10, "it went on")
        assert shim.process.returncode != 0 and "BYPASSRLS" in shim.log_text()
    finally:
        cluster.run(f"DROP ROLE {role}")


def test_examples_in_the_repository_are_good():
    for example in sorted(ROOT.glob("**/*.env.example")):
        pairs = dict(line.split("=", 1) for line in example.read_text().splitlines() if "=" in line and not line.startswith("#"))
        run = subprocess.run([BUILD / "relygate-shim", "--check-config"], env=pairs, capture_output=True, text=True)
        assert run.returncode == 0, f"{example}: {run.stderr}"
