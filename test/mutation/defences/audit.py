"""The audit: who may write it, what seals it."""
from mutation.defence import Defence, Function, Sql

SEAL = "relygate.seal_audit()"

DEFENCES = [
    Defence("audit-guard", "22", "the event triggers of the audit", Sql("DROP EVENT TRIGGER relygate_guard_audit_ddl; DROP EVENT TRIGGER relygate_guard_audit_drop")),
    Defence("audit-rearmed", "22", "triggers that a restore disabled are armed again", Function("relygate.rearm_audit(oid[])", "BEGIN\n", "BEGIN\n    RETURN;\n")),
    Defence("audit-defects", "22", "what the audit lacks is listed", Function("relygate.audit_defects()", "BEGIN\n", "BEGIN\n    RETURN;\n")),
    Defence("seal-bound", "27", "the bound is the oldest transaction that still runs", Function(SEAL,
            "write_seals(rows, began, floor, pg_snapshot_xmin(snapshot), NULL)", "write_seals(rows, began, floor, pg_snapshot_xmax(snapshot), NULL)"),
            Function(SEAL, "'seal', began, pg_snapshot_xmin(snapshot)", "'seal', began, pg_snapshot_xmax(snapshot)")),
    Defence("seal-lock", "27", "one sealer at a time", Function("relygate.begin_sealing()", "IN SHARE ROW EXCLUSIVE MODE", "IN ROW EXCLUSIVE MODE")),
    Defence("seal-read-committed", "27", "a snapshot from before the lock is refused", Function("relygate.begin_sealing()",
            "current_setting('transaction_isolation') <> 'read committed'", "false")),
    Defence("seal-hidden", "27", "a partition that hides its rows is an error", Function("relygate.audit_rows(text)", "IF hidden IS NOT NULL THEN", "IF false THEN")),
    Defence("audit-head", "27", "a root that was kept elsewhere is looked for", Function("relygate.verify_audit_chain(text)",
            "WHERE verify_audit_chain.head IS NOT NULL AND", "WHERE false AND")),
    Defence("erasure-on-record", "27", "an erasure by hand is not excused", Function("relygate.verify_audit_rows()", "WHERE p.is_erased AND NOT EXISTS", "WHERE false AND NOT EXISTS")),
    Defence("erasure-takes-nothing-else", "22", "an erasure changes nothing else", Function("relygate.refuse_audit_change()",
            "AND to_jsonb(NEW) ->> 'changes' IS NULL AND to_jsonb(NEW) ->> 'salt' IS NULL\n"
            "       AND to_jsonb(NEW) - '{changes,salt}'::text[] = to_jsonb(OLD) - '{changes,salt}'::text[] THEN", "THEN")),
]
