"""Seals in another cluster: old ones stay valid, new rows are sealed although ids of transactions begin again; old months that go."""
import psycopg2
import pytest

from conftest import Cluster, Database
from ledger import add_visitors, rows, sealed_ids, transaction, undone, verify
from migrations.migrating import run

SCHEMA_FREE = "-c session_replication_role=replica"
# Without a defence, which make mutation takes out of a function, that function is named and nothing else may be.
DEFECTS = "SELECT * FROM relygate.validate_schema() WHERE finding <> 'it was replaced or changed'"


@pytest.fixture(scope="module")
def source(database, tenants):
    # Its transactions are numbered far beyond those of the young cluster that it is restored into.
    database.run("DO $$ BEGIN FOR number IN 1 .. 5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
    add_visitors(database, tenants.north, 3, "Sealed there")
    database.head = database.seal()
    add_visitors(database, tenants.north, 2, "Not sealed there")
    return database


@pytest.fixture(scope="module")
def restored(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    folder.chmod(0o711)
    for parent in list(folder.parents)[:2]:
        parent.chmod(0o711)
    cluster = Cluster.create(folder / "cluster")
    try:
        globals_ = run("pg_dumpall", "--globals-only", "--dbname", source.cluster.url(), check=0).stdout
        (folder / "roles.sql").write_text("".join(line for line in globals_.splitlines(True) if line.strip() != "CREATE ROLE postgres;"))
        run("psql", "-Xq", "-d", cluster.url(), "-f", folder / "roles.sql", check=0)
        run("pg_dump", "-Fc", "--create", "-f", folder / "dump", source.url(user="relygate_backup"), check=0)
        run("pg_restore", "--create", "--exit-on-error", "-d", cluster.url(), folder / "dump", check=0)
        yield Database(cluster, source.name)
    finally:
        cluster.stop("immediate")


FORGE = """INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, xact, cluster)
           SELECT {tenant}, {time}, database_role, table_name, row_id, action, changes, salt, changes_digest, {xact}, {cluster} FROM relygate.audit_log
            WHERE tenant_id = '{north}' AND cluster <> relygate.cluster_identifier() ORDER BY id LIMIT 1 RETURNING id::text"""
OLD, OWN, LAST_ROOT = "cluster", "relygate.cluster_identifier()", "(SELECT max(sealed_at) FROM relygate_global.audit_roots)"
BEFORE_THE_FIRST_RUN = {
    "of the old cluster": (("tenant_id", f"{LAST_ROOT} - interval '1 day'", "'999999'", OLD), ["backdated"]),
    "of a cluster that never was": (("tenant_id", f"{LAST_ROOT} - interval '1 day'", "'500'", "42"), ["backdated"]),
    "of this cluster": (("tenant_id", f"{LAST_ROOT} - interval '1 day'", "'5'", OWN), ["backdated"]),
    "of a clock that differs": (("tenant_id", f"{LAST_ROOT} - interval '9 minutes'", "'5'", OWN), []),
    "of a tenant that was brought in": (("relygate.uuid_v7()", f"{LAST_ROOT} - interval '1 day'", "'5'", OWN), []),
}


# The functions of the extension come from the installation, not with the dump: nothing can be taken out of verify_audit() here.
@pytest.mark.defence("seal-by-cluster")
@pytest.mark.parametrize("name", BEFORE_THE_FIRST_RUN)
def test_a_row_written_before_the_first_run_here(name, restored, tenants):
    """The first run seals what the old cluster had not, and no row that says that it is older than its last run."""
    (tenant, time, xact, origin), found = BEFORE_THE_FIRST_RUN[name]
    with undone(restored) as cursor:
        cursor.execute("SELECT relygate.make_audit_partitions(-1); SET LOCAL session_replication_role = replica")
        row, = rows(cursor, FORGE.format(tenant=tenant, time=time, xact=xact, cluster=origin, north=tenants.north))[0]
        for sealed in (False, True):
            if sealed:
                cursor.execute("SELECT relygate.seal_audit()")
                assert rows(cursor, "SELECT count(*) FROM relygate.audit_seals s CROSS JOIN LATERAL relygate.audit_manifest(s.manifest) m WHERE m.id = %s", row) == [(1,)]
            assert rows(cursor, "SELECT finding, id::text FROM relygate.verify_audit()") == [(word, row) for word in found], sealed


@pytest.mark.defence("seal-by-cluster")
def test_old_seals_stay_valid_and_new_rows_are_sealed(source, restored, tenants):
    assert restored.value("SELECT relygate.audit_head()") == source.head
    assert verify(restored, source.head) == []
    add_visitors(restored, tenants.south, 2, "Written here")
    assert restored.value("SELECT min(xact::text::bigint) FROM relygate.audit_log WHERE cluster = relygate.cluster_identifier()") \
        < source.value("SELECT max(bound::text::bigint) FROM relygate_global.audit_roots"), "the ids of transactions did not begin again"
    assert verify(restored) == []
    head = restored.seal()
    ids = sealed_ids(restored)
    assert len(ids) == len(set(ids)) == restored.value("SELECT count(*) FROM relygate.audit_log")
    assert verify(restored, source.head) == [] and verify(restored, head) == []
    # The next run is of this cluster alone.
    add_visitors(restored, tenants.north, 1, "And later")
    restored.seal()
    ids = sealed_ids(restored)
    assert len(ids) == len(set(ids)) == restored.value("SELECT count(*) FROM relygate.audit_log")
    assert verify(restored) == []


def test_a_row_added_for_the_old_cluster_is_found(restored, tenants):
    with transaction(restored, options=SCHEMA_FREE) as cursor:
        cursor.execute("INSERT INTO relygate.audit_log (tenant_id, database_role, table_name, row_id, action, changes_digest, xact, cluster) "
                       "SELECT tenant_id, database_role, table_name, row_id, action, changes_digest, '5', cluster FROM relygate.audit_log "
                       "WHERE cluster <> relygate.cluster_identifier() LIMIT 1 RETURNING id")
        added = cursor.fetchone()[0]
    restored.seal()
    assert (added, "added") in [(found, word) for _, found, word in verify(restored)]
    assert added not in sealed_ids(restored)


@pytest.mark.defence("finds-unknown-seals", "import-once")
def test_a_tenant_from_another_database(source, cluster, template):
    """What scripts/tenant-import does with the history of a tenant: rows and seals as they were, then seal_imported."""
    from conftest import copy_of_template
    mover = source.value("SELECT id::text FROM relygate.create_tenant('MOVER', 'Mover', 'school', 'Asia/Kolkata', 'IN')")    # whom the template has not
    add_visitors(source, mover, 3, "Sealed there")
    source.seal()
    add_visitors(source, mover, 2, "Not sealed there")
    target = copy_of_template(cluster, "test_audit_import", template)
    try:
        columns = {}
        with transaction(source) as giver, transaction(target, options=SCHEMA_FREE) as taker:
            for table in ("audit_log", "audit_seals"):
                giver.execute(f"SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'relygate.{table}'::regclass AND attnum > 0")
                columns[table] = giver.fetchone()[0]
                for row in rows(giver, f"SELECT t::text FROM relygate.{table} t WHERE tenant_id = %s", mover):
                    taker.execute(f"INSERT INTO relygate.{table} ({columns[table]}) SELECT (%s::relygate.{table}).*", row)
        assert {word for _, _, word in verify(target)} == {"seal_unknown"}, "not under a root of this database"
        target.value("SELECT relygate.seal_imported(%s)", mover)
        with pytest.raises(psycopg2.Error) as refused:
            target.value("SELECT relygate.seal_imported(%s)", mover)
        assert refused.value.pgcode == "55000", "once"
        target.seal()    # rows of this cluster that no run has come to yet
        ids = sealed_ids(target)
        assert len(ids) == len(set(ids)) == target.value("SELECT count(*) FROM relygate.audit_log")
        assert target.run("SELECT tenant_id::text, finding FROM relygate.verify_audit()") == [(mover, "imported")]
    finally:
        cluster.run('DROP DATABASE "test_audit_import" WITH (FORCE)')


PAST = "2026-01"


@pytest.fixture(scope="module")
def aged(cluster, template):
    """A database with sealed rows of an old month. Nothing was sealed before, so nothing says that they are backdated."""
    from conftest import copy_of_template
    database = copy_of_template(cluster, "test_audit_aged", template)
    with transaction(database) as cursor:
        cursor.execute("""
            DO $$ DECLARE g name; BEGIN
                FOR g IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate_guard%' LOOP EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', g); END LOOP;
                SET LOCAL ROLE relygate_audit;
                CREATE TABLE relygate.audit_log_2026_01 (LIKE relygate.audit_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
                REVOKE ALL ON relygate.audit_log_2026_01 FROM PUBLIC;
                ALTER TABLE relygate.audit_log_2026_01 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON relygate.audit_log_2026_01 FOR EACH STATEMENT EXECUTE FUNCTION relygate.refuse_audit_change();
                ALTER TABLE relygate.audit_log_2026_01 ENABLE ALWAYS TRIGGER append_only_truncate;
                PERFORM relygate.let_sealer_read('relygate.audit_log_2026_01');
                ALTER TABLE relygate.audit_log ATTACH PARTITION relygate.audit_log_2026_01 FOR VALUES FROM ('2026-01-01Z') TO ('2026-02-01Z');
                RESET ROLE;
                FOR g IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate_guard%' LOOP EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', g); END LOOP;
            END $$;
            INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, cluster)
            SELECT relygate.uuid_v7(), '2026-01-15Z', 'relygate_shim', 'visits', relygate.uuid_v7(), 'insert', '{}', s, relygate.audit_changes_digest(s, '{}'),
                   relygate.cluster_identifier() FROM (SELECT relygate.random_bytes(16) s FROM generate_series(1, 5)) x""")
    yield database
    cluster.run('DROP DATABASE "test_audit_aged" WITH (FORCE)')


def drop_month(database, month=PAST):
    with pytest.raises(psycopg2.Error) as refused:
        database.value("SELECT relygate.drop_audit_month(%s)", month)
    return refused.value.pgcode


@pytest.mark.defence("archive-checks")
def test_an_old_month_goes_when_it_is_sealed(aged):
    assert aged.run(DEFECTS) == []
    this_month = aged.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')")
    assert [drop_month(aged, month) for month in (PAST, this_month, "2025-01", "2026-13", None)] == ["55000", "55000", "42P01", "22023", "22023"], "not sealed yet"
    aged.seal()
    with pytest.raises(psycopg2.Error) as refused:
        aged.run("DROP TABLE relygate.audit_log_2026_01")
    assert refused.value.pgcode == "42501"
    # One row that is not what its seal says keeps the month.
    with undone(aged) as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, "
                       "changes_digest, cluster) SELECT tenant_id, occurred_at, database_role, table_name, row_id, action, changes_digest, cluster FROM relygate.audit_log LIMIT 1")
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute("SELECT relygate.drop_audit_month(%s)", (PAST,))
    assert refused.value.pgcode == "55000"

    before = aged.value("SELECT relygate.audit_head()")
    head = aged.value("SELECT relygate.drop_audit_month(%s)", PAST)
    assert head != before and aged.value("SELECT relygate.audit_head()") == head
    assert aged.value("SELECT to_regclass('relygate.audit_log_2026_01')") is None
    told = aged.run("SELECT finding, detail FROM relygate.verify_audit(%s)", before)
    assert [word for word, _ in told] == ["archived"] and "5 entries of 2026-01" in told[0][1]
    assert aged.run(DEFECTS) == []


@pytest.mark.defence("finds-false-archives")
def test_a_drop_that_was_only_claimed_is_found(aged):
    with transaction(aged) as cursor:
        cursor.execute("SELECT relygate.add_audit_root('archive', now(), '0', '0', 9, convert_to('{\"month\":\"2026-02\",\"partition\":\"relygate.audit_log_2026_02\",\"from\":\"2026-02-01Z\",\"to\":\"2026-03-01Z\",\"entries\":9}', 'UTF8'))")
    assert "archived_wrongly" in [word for _, _, word in verify(aged)]
