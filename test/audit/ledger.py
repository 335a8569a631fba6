"""Words for the tests of the audit: write as a tenant, seal, verify, and change what nobody may change."""
import contextlib

# What a superuser must do before he can touch the log at all.
DISARM = """DO $$ DECLARE g name; t regclass; BEGIN
    FOR g IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate_guard%%' LOOP EXECUTE format('ALTER EVENT TRIGGER %%I DISABLE', g); END LOOP;
    FOR t IN SELECT DISTINCT tgrelid FROM pg_trigger WHERE tgname IN ('append_only', 'append_only_truncate') LOOP
        EXECUTE format('ALTER TABLE %%s DISABLE TRIGGER ALL', t); END LOOP; END $$"""


@contextlib.contextmanager
def transaction(database, user="postgres", options=None):
    connection = database.connect(user, options, autocommit=False)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@contextlib.contextmanager
def undone(database):
    """A superuser's transaction that is rolled back, whatever comes: an open one would keep all that follow waiting."""
    connection = database.connect(autocommit=False)
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def rows(cursor, sql, *arguments):
    cursor.execute(sql, arguments or None)
    return cursor.fetchall()


def write(database, tenant, sql, *arguments):
    """One transaction of a tenant, as the API's role; returns its rows."""
    with transaction(database) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
        cursor.execute("SET LOCAL ROLE relygate_api")
        cursor.execute(sql, arguments or None)
        return cursor.fetchall() if cursor.description else None


def add_visitors(database, tenant, count, name="Visitor"):
    return [row[0] for row in write(database, tenant, "INSERT INTO relygate.visitors (first_name) SELECT %s FROM generate_series(1, %s) RETURNING id",
                                    name, count)]


def verify(database, head=None):
    """What verify_audit finds, without what it only tells."""
    return [finding for finding in database.run("SELECT tenant_id, id, finding FROM relygate.verify_audit(%s)", head)
            if finding[2] not in ("archived", "imported")]


def sealed_ids(database):
    return [row[0] for row in database.run("SELECT (relygate.audit_manifest(manifest)).id FROM relygate.audit_seals")]


def logged_ids(database):
    return [row[0] for row in database.run("SELECT id FROM relygate.audit_log")]
