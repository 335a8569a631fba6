"""The audit in another cluster, and months that go out of it."""
from mutation.defence import Defence, Function

DEFENCES = [
    Defence("seal-by-cluster", "27", "how far was sealed is asked of this cluster alone", Function("relygate.seal_audit()",
            "WHERE r.cluster = own AND r.kind = 'seal' ORDER BY", "WHERE r.kind = 'seal' ORDER BY")),
    Defence("archive-checks", "27", "a month goes only when each of its rows is as its seal says", Function("relygate.drop_audit_month(text)", "IF amiss > 0 THEN", "IF false THEN")),
    Defence("finds-false-archives", "27", "verify_audit() finds a month that was only said to be dropped", Function("relygate.verify_audit_chain(text)",
            "WHERE r.kind = 'archive' AND (m.month ->> 'entries')", "WHERE false AND (m.month ->> 'entries')")),
]
