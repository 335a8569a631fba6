"""What the installation needs and keeps: superusers (extension-007), collations of keys (extension-009), another installation (extension-008)."""
import contextlib

import pytest

from attackers import FORBIDDEN, defended_by, ground  # noqa: F401: a fixture

SUPERUSER_ONLY = [
    "CREATE EXTENSION relygate", "GRANT SET ON PARAMETER app.tenant_id TO relygate_reporting", "CREATE ROLE more BYPASSRLS",
    "CREATE EVENT TRIGGER more ON ddl_command_end EXECUTE FUNCTION relygate.guard_ddl()", "ALTER DATABASE {0} SET session_preload_libraries = 'relygate'",
    "REVOKE SELECT ON pg_catalog.pg_db_role_setting FROM PUBLIC", "SELECT relygate.bind_role('{1}', gen_random_uuid())",
    "SELECT * FROM relygate.validate_schema()", "ALTER EXTENSION relygate UPDATE"]


@contextlib.contextmanager
def dba(ground):
    """Owns the database and makes roles, as the administrator of a managed service does; no superuser, and never committed: in
    another database of the cluster validate_schema() names who makes roles."""
    name, database = f"dba_{ground.database.name}", ground.database.name
    with ground.session("postgres", autocommit=False) as session:
        session.run(f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB; ALTER DATABASE {database} OWNER TO {name}; GRANT USAGE ON SCHEMA relygate TO {name}")
        session.run(f"SET SESSION AUTHORIZATION {name}")
        yield session


@defended_by("postgresql")
@pytest.mark.parametrize("command", SUPERUSER_ONLY)
def test_extension_007_what_needs_a_superuser(ground, command):
    """The list of docs/isolation.md: no more of it is tried by an installation, and none of it works without."""
    with dba(ground) as session:
        assert session.refused(command.format(ground.database.name, ground.stranger)) in (FORBIDDEN, "42710")     # 42710: it is there already


@defended_by("postgresql")
def test_extension_007_another_schema_is_refused(ground):
    with ground.session("postgres") as session:
        error = session.error("ALTER EXTENSION relygate SET SCHEMA public")
    assert error.pgcode == "0A000" and error.diag.message_primary == 'extension "relygate" does not support SET SCHEMA'


# Names that the product or a DBA chooses, not a person's: docs/administration.md says what to do with them after an update of glibc.
BY_THE_DATABASE = {"gates_by_name", "hosts_list", "idempotency_keys_tenant_id_user_id_key_key", "locations_list", "product_routes_pkey",
                   "role_permissions_tenant_id_role_id_permission_key", "roles_name", "routes_pkey", "signing_keys_pkey", "signing_keys_purpose", "sites_by_name",
                   "users_login_name"}


@defended_by("keys-collate-c")
def test_extension_009_keys_do_not_depend_on_a_library_of_the_system(ground):
    """A new glibc sorts otherwise: then an index of such a column misses rows, and a unique one lets duplicates in."""
    rows = ground.database.run("""
        SELECT DISTINCT n.relname, c.collname
          FROM pg_index i CROSS JOIN LATERAL unnest(i.indcollation::oid[]) AS k (used) JOIN pg_class n ON n.oid = i.indexrelid
          JOIN pg_class t ON t.oid = i.indrelid LEFT JOIN pg_collation c ON c.oid = k.used
         WHERE t.relnamespace IN ('relygate'::regnamespace, 'relygate_global'::regnamespace) AND NOT t.relispartition AND k.used <> 0""")
    assert len(rows) > 20
    assert {name for name, collation in rows if collation != "C"} == BY_THE_DATABASE
    assert {name for name, _ in rows} >= {"visitors_registered_mobile", "visitors_registration", "tenants_code", "visits_badge_once"}
