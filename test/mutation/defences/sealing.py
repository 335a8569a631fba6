"""Seals: each row once, and what verify_audit() finds."""
from mutation.defence import Defence, Function, Sql

SEAL, CHAIN, ROWS = "relygate.seal_audit()", "relygate.verify_audit_chain(text)", "relygate.verify_audit_rows()"


def finds(word, what, function, old, new):
    return Defence(f"finds-{word}", "27", f"verify_audit() finds {what}", Function(function, old, new))


DEFENCES = [
    Defence("seal-bound", "27", "the bound is the oldest transaction that still runs", Function(SEAL,
            "write_seals(rows, began, floor, pg_snapshot_xmin(snapshot), NULL)", "write_seals(rows, began, floor, pg_snapshot_xmax(snapshot), NULL)"),
            Function(SEAL, "'seal', began, pg_snapshot_xmin(snapshot)", "'seal', began, pg_snapshot_xmax(snapshot)")),
    Defence("seal-lock", "27", "one sealer at a time", Function("relygate.begin_sealing()", "IN SHARE ROW EXCLUSIVE MODE", "IN ROW EXCLUSIVE MODE")),
    Defence("seal-read-committed", "27", "a snapshot from before the lock is refused", Function("relygate.begin_sealing()",
            "current_setting('transaction_isolation') <> 'read committed'", "false")),
    Defence("seal-hidden", "27", "a partition that hides its rows is an error", Function("relygate.audit_rows(text)", "IF hidden IS NOT NULL THEN", "IF false THEN")),
    Defence("audit-head", "27", "a root that was kept elsewhere is looked for", Function(CHAIN,
            "WHERE verify_audit_chain.head IS NOT NULL AND", "WHERE false AND")),
    Defence("erasure-on-record", "27", "an erasure by hand is not excused", Function(ROWS, "WHERE p.is_erased AND NOT EXISTS", "WHERE false AND NOT EXISTS")),
    Defence("finds-changed", "27", "verify_audit() finds a row that was changed",
            Function(ROWS, "s.number) WHERE p.entry <> s.entry", "s.number) WHERE false"), Function(ROWS, "WHERE p.is_unfit AND NOT p.is_erased", "WHERE false")),
    finds("removed", "a row that was removed", ROWS, "WHERE p.id IS NULL AND NOT EXISTS (SELECT FROM archived", "WHERE false AND NOT EXISTS (SELECT FROM archived"),
    finds("added", "a row that was added", ROWS, "WHERE s.id IS NULL AND (p.xact < b.bound", "WHERE false AND (p.xact < b.bound"),
    finds("backdated", "a row that was backdated", ROWS, "after a run.', p.occurred_at) WHERE p.occurred_at < g.begins", "after a run.', p.occurred_at) WHERE false"),
    Defence("backdated-by-all-runs", "27", "a run too many excuses no row that began after the run before it", Function(ROWS, "WHEN p.xact >= b.bound THEN b.floor_at END", "END")),
    Defence("backdated-by-clusters", "27", "the first run in a cluster is measured by the last one elsewhere", Function(ROWS,
            "- difference\n                       WHEN k.first_run < n.run THEN b.sealed_before - difference END", "- difference END")),
    Defence("finds-postdated", "27", "verify_audit() finds a row that says a time or a transaction to come", Function(ROWS,
            "            WHERE p.occurred_at > coalesce(", "            WHERE false AND p.occurred_at > coalesce("), Function(ROWS, "WHERE p.cluster = own AND p.xact > next_here", "WHERE false")),
    finds("changed-seals", "a seal that was changed", CHAIN, "WHERE NOT s.is_whole OR s.digest <> l.digest", "WHERE false"),
    finds("removed-seals", "a seal that was removed", CHAIN, "is not there.' WHERE s.number IS NULL", "is not there.' WHERE false"),
    finds("unknown-seals", "a seal under no root", CHAIN, "WHERE l.number IS NULL", "WHERE false"),
    finds("changed-roots", "a root that was changed", CHAIN, "WHERE r.previous IS DISTINCT FROM r.before\n        OR", "WHERE false AND"),
    finds("false-counts-of-seals", "a seal that says another number of entries", CHAIN, "WHERE s.is_whole AND s.digest = l.digest AND", "WHERE false AND"),
    finds("false-counts-of-roots", "a root that says another number of entries", CHAIN, "WHERE r.kind <> 'archive' AND r.entries <>", "WHERE false AND r.entries <>"),
    finds("sealed-twice", "a row that is in two seals", ROWS, "HAVING count(*) > 1", "HAVING false"),
    finds("named-twice", "a seal under two roots", CHAIN, "WHERE l.roots > 1", "WHERE false"),
    finds("late-seals", "a row that came into the log after the run that should have sealed it", ROWS, "WHERE p.entry = s.entry AND n.run IS NOT NULL AND (", "WHERE false AND ("),
    finds("standstill", "that nothing has been sealed for long", ROWS, "WHERE w.entries > 0", "WHERE false"),
    Defence("survives-erasures", "27", "an erasure that cannot be read ends nothing", Function("relygate.audit_erased(json)", "WHEN data_exception OR program_limit_exceeded", "WHEN division_by_zero")),
    finds("empty-runs", "a run that has sealed nothing", CHAIN, "WHERE r.kind = 'seal' AND r.entries <= 0", "WHERE false"),
    finds("runs-to-come", "a run after transactions that have not begun", CHAIN, "WHERE r.cluster = own AND r.next_xact > next_here", "WHERE false"),
    finds("runs-beyond-bounds", "a run whose bound is beyond what had begun", CHAIN, "WHERE r.bound > r.next_xact", "WHERE false"),
    finds("runs-of-old-transactions", "a run whose transactions are earlier than those of a run before", CHAIN, "AND (r.bound < r.bound_before OR", "AND false AND (r.bound < r.bound_before OR"),
    Defence("finds-runs-of-another-time", "27", "verify_audit() finds a root that is earlier than the one before, or still to come", Function(CHAIN,
            "WHERE r.sealed_at < r.own_sealed_before - tolerance OR r.sealed_at < r.sealed_before - difference OR r.sealed_at = '-infinity'", "WHERE false"),
            Function(CHAIN, "WHERE r.sealed_at > clock_timestamp() + CASE", "WHERE false AND r.sealed_at > clock_timestamp() + CASE")),
    Defence("survives-workers", "27", "what catches errors runs beside no worker", Sql("ALTER FUNCTION relygate.audit_erased(json) PARALLEL SAFE; ALTER FUNCTION relygate.audit_archive(bytea) PARALLEL SAFE")),
    finds("missing-roots", "a root that was removed", CHAIN, "WHERE r.before <> r.number - 1", "WHERE false"),
]
