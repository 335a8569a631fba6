"""The audit in another cluster, and months that go out of it."""
from mutation.defence import Defence, Function

ARCHIVE, CHAIN, ROWS = "relygate.audit_archive(bytea)", "relygate.verify_audit_chain(text)", "relygate.verify_audit_rows()"

DEFENCES = [
    Defence("seal-by-cluster", "27", "how far was sealed is asked of this cluster alone", Function("relygate.seal_audit()",
            "WHERE r.cluster = own AND r.kind = 'seal' ORDER BY", "WHERE r.kind = 'seal' ORDER BY")),
    Defence("archive-checks", "27", "a month goes only when each of its rows is as its seal says", Function("relygate.drop_audit_month(text)", "IF amiss > 0 THEN", "IF false THEN")),
    Defence("archive-of-a-month", "27", "a drop is of a whole month and of its partition", Function(ARCHIVE,
            "said.partition = 'relygate.audit_log_' || replace(said.month, '-', '_') AND said.begins = month AND said.ends = month + interval '1 month'", "true")),
    Defence("archive-is-whole", "27", "a drop excuses no single row", Function(ROWS, "AND o.is_there IS NULL", "")),
    Defence("survives-archives", "27", "a drop that cannot be read ends nothing", Function(ARCHIVE, "WHEN data_exception OR program_limit_exceeded", "WHEN division_by_zero")),
    Defence("finds-false-archives", "27", "verify_audit() finds a month that was only said to be dropped", Function(CHAIN, "WHERE a.said <> coalesce(s.entries, 0) OR a.entries <> a.said", "WHERE false")),
    Defence("finds-early-archives", "27", "verify_audit() finds a month that was dropped before it was over", Function(CHAIN, "WHERE a.ends > least(", "WHERE false AND a.ends > least(")),
    Defence("import-once", "27", "a tenant that has a history here brings none in", Function("relygate.seal_imported(uuid)", "WHERE r.kind <> 'archive' AND l.id", "WHERE false AND l.id")),
    Defence("finds-late-imports", "27", "verify_audit() finds what was brought in to a tenant that has a history here",
            Function(CHAIN, "WHERE t.first_root < r.number", "WHERE false"), Function(ROWS, " WHERE n.is_second\n", " WHERE false\n")),
]
