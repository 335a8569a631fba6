"""The rows that need no HTTP: what isolation, dispatch and audit cost inside the database."""
import pathlib
import random

from .ground import READ_PATH
from .report import Row

ROWS = [
    Row("dispatch", "RLS + context + dispatcher ÷ the bare query with a constant tenant (CPU, without the round trip)", 1.15, False),
    Row("audit_rows", "audit and state triggers ÷ the same in PL/pgSQL, single rows (CPU)", 0.6, False),
    Row("audit_statement", "audit and state triggers ÷ the same in PL/pgSQL, statements of MANY rows (CPU)", 0.4, False),
]
# What get_visit reads, by a superuser, whom no policy holds.
BARE = """SELECT v.id, v.state::text, v.site_id, s.name::text, p.id, p.visitor_type::text, p.first_name::text, p.last_name::text, p.mobile::text,
       p.category_id, p.registration_no::text, v.purpose_id, coalesce(v.purpose::text, w.name::text), h.id, h.first_name::text,
       h.last_name::text, u.id, u.name::text, v.group_size::int, v.vehicle_no::text, v.badge_no::text, v.requested_at, v.checked_in_at,
       v.checked_out_at, v.checked_in_by, v.checked_out_by, v.gate_in_id, v.gate_out_id, v.remark::text, v.is_forced, v.is_automatic,
       v.updated_at
  FROM relygate.visits v
  JOIN relygate.visitors p ON p.tenant_id = v.tenant_id AND p.id = v.visitor_id
  JOIN relygate.sites s ON s.tenant_id = v.tenant_id AND s.id = v.site_id
  LEFT JOIN relygate.purposes w ON w.tenant_id = v.tenant_id AND w.id = v.purpose_id
  LEFT JOIN relygate.hosts h ON h.tenant_id = v.tenant_id AND h.id = v.host_id
  LEFT JOIN relygate.locations u ON u.tenant_id = v.tenant_id AND u.id = v.unit_id
 WHERE v.tenant_id = 'TENANT' AND v.id = ('01900000-0000-7000-8000-000000' || :n)::uuid"""
# The same state machine and the same audit row as a careful author would write them in PL/pgSQL.
PLPGSQL = """
CREATE FUNCTION relygate.bench_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('pending', 'checked_in') THEN
            RAISE EXCEPTION 'a new visit is pending or checked_in';
        END IF;
    ELSIF NOT (OLD.state = 'pending' AND NEW.state IN ('checked_in', 'refused', 'cancelled', 'expired')
               OR OLD.state = 'checked_in' AND NEW.state = 'checked_out') THEN
        RAISE EXCEPTION 'visit cannot change state this way' USING DETAIL = format('%s to %s', OLD.state, NEW.state);
    END IF;
    IF NEW.state = 'checked_in' THEN
        NEW.checked_in_at := coalesce(NEW.checked_in_at, now());
        NEW.checked_in_by := coalesce(nullif(current_setting('app.user_id', true), '')::uuid, NEW.checked_in_by);
    ELSIF NEW.state = 'checked_out' THEN
        NEW.checked_out_at := coalesce(NEW.checked_out_at, greatest(now(), NEW.checked_in_at));
        NEW.checked_out_by := coalesce(nullif(current_setting('app.user_id', true), '')::uuid, NEW.checked_out_by);
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION relygate.bench_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept CONSTANT text[] := '{tenant_id,id,created_at,updated_at,created_by,updated_by}';
    salt CONSTANT bytea := uuid_send(gen_random_uuid());
    changes text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        changes := (SELECT jsonb_object_agg(a.key, jsonb_build_object('after', a.value))
                      FROM jsonb_each(jsonb_strip_nulls(to_jsonb(NEW))) a WHERE a.key <> ALL (kept));
    ELSE
        changes := (SELECT jsonb_object_agg(a.key, jsonb_build_object('before', b.value, 'after', a.value))
                      FROM jsonb_each(to_jsonb(NEW)) a JOIN jsonb_each(to_jsonb(OLD)) b USING (key)
                     WHERE a.value <> b.value AND a.key <> ALL (kept));
    END IF;
    IF changes IS NOT NULL THEN
        INSERT INTO relygate.bench_log (tenant_id, user_id, user_role, database_role, request_id, client_address, table_name, row_id, action,
                                        changes, salt, changes_digest, cluster)
        VALUES (NEW.tenant_id, nullif(current_setting('app.user_id', true), '')::uuid, nullif(current_setting('app.user_role', true), ''),
                session_user, nullif(current_setting('app.request_id', true), ''), inet_client_addr(), TG_TABLE_NAME, NEW.id, lower(TG_OP),
                changes::json, salt, sha256(salt || convert_to(changes, 'UTF8')), 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TABLE relygate.bench_log (LIKE relygate.audit_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES) PARTITION BY RANGE (occurred_at);
DO $$ BEGIN
    EXECUTE format('CREATE TABLE relygate.bench_log_now PARTITION OF relygate.bench_log FOR VALUES FROM (%L) TO (%L)',
                   date_trunc('month', now()), date_trunc('month', now()) + interval '1 month');
END $$;
CREATE TABLE relygate.bench_ours (LIKE relygate.visits INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
CREATE TABLE relygate.bench_plpgsql (LIKE relygate.bench_ours INCLUDING ALL);
CREATE TABLE relygate.bench_none (LIKE relygate.bench_ours INCLUDING ALL);
CREATE TRIGGER state BEFORE INSERT OR UPDATE OF state ON relygate.bench_plpgsql FOR EACH ROW EXECUTE FUNCTION relygate.bench_state();
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON relygate.bench_plpgsql FOR EACH ROW EXECUTE FUNCTION relygate.bench_audit();
"""
# Whatever triggers of state and audit the product has on visits, row or statement, the measured table gets.
OURS = """SELECT replace(pg_get_triggerdef(t.oid), ' ON relygate.visits ', ' ON relygate.bench_ours ')
            FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
           WHERE t.tgrelid = 'relygate.visits'::regclass AND NOT t.tgisinternal AND p.proname ~ '^(visit_state|audit)'"""
COLUMNS = "(tenant_id, id, site_id, visitor_id, state)"
ONE_BY_ONE = """DO $$ DECLARE made uuid; BEGIN FOR n IN 1..{count} LOOP made := relygate.uuid_v7();
INSERT INTO relygate.bench_{table} (id, site_id, visitor_id, state) VALUES (made, made, made, 'checked_in');
UPDATE relygate.bench_{table} SET state = 'checked_out', checked_out_at = now() WHERE tenant_id = '{tenant}' AND id = made;
END LOOP; END $$"""
AT_ONCE = ("INSERT INTO relygate.bench_{table} (id, site_id, visitor_id, state{in_column}) SELECT i, i, i, 'checked_in'{in_value} FROM "
           "(SELECT relygate.uuid_v7() AS i FROM generate_series(1, {count}) OFFSET 0) made",
           "UPDATE relygate.bench_{table} SET state = 'checked_out', checked_out_at = now()")


class DatabaseStage:
    def __init__(self, ground, seconds, rounds, rows, statement_rows):
        self.ground, self.seconds, self.rounds, self.rows = ground, seconds, rounds, {row.key: row for row in rows}
        self.statement_rows, self.remarks = statement_rows, []
        for row in rows:
            row.what = row.what.replace("MANY", f"{statement_rows:,}")

    def dispatch(self, call):
        """call: the statement of the product for one read, of HttpStage.call. CPU of a backend, without that of a round trip: the
        clock would measure whoever shares the cores."""
        ground = self.ground
        statements = {"ours": (ground.shim_url(), call("GET", f"'{READ_PATH}' || $1", "NULL")),
                      "bare": (ground.url(), BARE.replace("TENANT", ground.tenant).replace(":n", "$1")),
                      "trip": (ground.url(), "SELECT $1")}
        connections = {}
        for name, (url, statement) in statements.items():
            connections[name] = ground.connect(url)
            connections[name].cursor().execute(f"PREPARE ask(text) AS {statement}")
            self.ask(connections[name], 100)    # plans and caches
        seen = {name: [] for name in statements}
        for _ in range(self.rounds):
            # Of many short turns the best: even CPU time grows when others empty the caches.
            turns = {name: [] for name in statements}
            for name in (name for _ in range(100) for name in statements):
                turns[name].append(self.ask(connections[name], 50) / 50 * 1e6)
            spent = {name: min(values) for name, values in turns.items()}
            self.rows["dispatch"].add((spent["ours"] - spent["trip"]) / (spent["bare"] - spent["trip"]))
            for name, microseconds in spent.items():
                seen[name].append(microseconds)
        for connection in connections.values():
            connection.close()
        best = {name: min(values) for name, values in seen.items()}
        self.remarks.append(f"CPU of a backend for one read, best round: {best['ours']:.0f} µs through handle_request (session, role and permission "
                            f"looked up, JSON written), {best['bare']:.0f} µs bare, both with the {best['trip']:.0f} µs of a round trip.")

    def ask(self, connection, times):
        """CPU seconds of the backend for so many reads."""
        begun = self.cpu_seconds(connection)
        with connection.cursor() as cursor:
            for _ in range(times):
                cursor.execute("EXECUTE ask(%s)", (str(random.randrange(100_000, 101_000)),))
                cursor.fetchall()
        return self.cpu_seconds(connection) - begun

    def triggers(self):
        ground = self.ground
        # The guard knows the names of triggers, and these tables are not protected ones.
        ground.admin_sql("ALTER EVENT TRIGGER relygate_guard_ddl DISABLE")
        ground.admin_sql(PLPGSQL)
        for definition, in ground.admin_sql(OURS):
            ground.admin_sql(definition)
        for table in ("plpgsql", "none"):     # the bare state has no trigger to set its time
            ground.admin_sql(f"ALTER TABLE relygate.bench_{table} ALTER checked_in_at SET DEFAULT now()")
        costs = {"audit_rows": {}, "audit_statement": {}}
        for _ in range(self.rounds):
            for key, count in (("audit_rows", 2000), ("audit_statement", self.statement_rows)):
                spent = {table: self.spend(key, table, count) for table in ("ours", "plpgsql", "none")}
                self.rows[key].add((spent["ours"] - spent["none"]) / (spent["plpgsql"] - spent["none"]))
                for table, seconds in spent.items():
                    costs[key].setdefault(table, []).append(seconds / count / 2 * 1e6)
        for key, what in (("audit_rows", "single rows"), ("audit_statement", f"statements of {self.statement_rows:,} rows")):
            self.remarks.append(f"CPU for a written row, {what}, best round: " + ", ".join(
                f"{min(costs[key][table]):.1f} µs {words}" for table, words in (("none", "without triggers"), ("ours", "with ours"), ("plpgsql", "with PL/pgSQL"))) + ".")

    @staticmethod
    def cpu_seconds(connection):
        """Of the backend: what triggers cost, whatever else the machine does."""
        return int(pathlib.Path(f"/proc/{connection.get_backend_pid()}/schedstat").read_text().split()[0]) / 1e9

    def spend(self, key, table, count):
        """CPU of the backend for so many INSERTs and UPDATEs, which are rolled back."""
        connection = self.ground.connect()
        connection.autocommit = False
        facts = {"table": table, "tenant": self.ground.tenant, "count": count, "in_column": "", "in_value": ""}
        statements = (ONE_BY_ONE,) if key == "audit_rows" else AT_ONCE
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true), set_config('app.user_id', %s, true), "
                           "set_config('app.request_id', 'bench', true)", (self.ground.tenant, self.ground.user))
            begun = self.cpu_seconds(connection)
            for statement in statements:
                cursor.execute(statement.format(**facts))
            spent = self.cpu_seconds(connection) - begun
        connection.rollback()
        connection.close()
        self.ground.admin_sql(f"VACUUM relygate.bench_{table}")
        return spent
