"""The audit: what is noted, and that nobody changes it unseen."""
from mutation.defence import Defence, Function, Source, Sql

LOG = "extension/pg/audit/audit_log.cpp"
REFUSE = "relygate.refuse_audit_change()"
ROLES = "relygate_owner, relygate_api, relygate_reporting, relygate_platform, relygate_backup"

DEFENCES = [
    Defence("audit-trigger", "22", "the trigger that notes each change of a row", Sql("ALTER TABLE relygate.tenants DISABLE TRIGGER audit")),
    Defence("audit-without-secrets", "22", "secrets are not noted", Source("extension/pg/audit/audit_trigger.cpp",
            "        if (kind == ColumnKind::secret)\n            continue;\n", "")),
    Defence("audit-of-own-tenant", "22", "a row of another tenant than the transaction's is left to the policies", Source(LOG,
            "std::memcmp(DatumGetUUIDP(row.values[0]), current_tenant_or_raise(), UUID_LEN) != 0)", "current_tenant_or_raise() == nullptr)")),
    Defence("audit-under-policies", "22", "where there are further policies, rows are left to them",
            Source(LOG, "return has_base && has_tenant && list_length(table->rd_rsdesc->policies) == 2;", "return has_base && has_tenant;")),
    Defence("append-only", "22", "the triggers that refuse a change of what is noted", Function(REFUSE, "BEGIN\n", "BEGIN\n    RETURN coalesce(NEW, OLD);\n")),
    # By membership, since the guard refuses whatever comes after a grant on the tables themselves.
    Defence("audit-no-writers", "22", "nobody may change the audit", Sql(f"GRANT pg_write_all_data TO {ROLES}", undo=f"REVOKE pg_write_all_data FROM {ROLES}")),
    Defence("audit-partitions-closed", "22", "nobody may read partitions, which ignore the policies of their table, or roots",
            Sql("GRANT pg_read_all_data TO relygate_owner, relygate_api, relygate_reporting, relygate_platform",
                undo="REVOKE pg_read_all_data FROM relygate_owner, relygate_api, relygate_reporting, relygate_platform")),
    Defence("audit-no-members", "22", "nobody is a member of relygate_audit",
            Sql("GRANT relygate_audit TO relygate_api", undo="REVOKE relygate_audit FROM relygate_api")),
    Defence("audit-guard-of-changes", "22", "the event trigger relygate_guard_audit_ddl",
            Function("relygate.guard_audit_ddl()", "BEGIN\n", "BEGIN\n    RETURN;\n")),
    Defence("audit-guard-of-drops", "22", "the event trigger relygate_guard_audit_drop",
            Function("relygate.guard_audit_drop()", "BEGIN\n", "BEGIN\n    RETURN;\n")),
    Defence("audit-rearmed", "22", "triggers that a restore disabled are armed again", Function("relygate.rearm_audit(oid[])", "BEGIN\n", "BEGIN\n    RETURN;\n")),
    Defence("audit-defects", "22", "what the audit lacks is listed", Function("relygate.audit_defects()", "BEGIN\n", "BEGIN\n    RETURN;\n")),
    Defence("audit-parts", "22", "what is attached to the audit, or was its own, is a part of it under any name", Function("relygate.audit_defects()",
            "UNION SELECT i.inhrelid FROM parts a JOIN pg_inherits i", "UNION SELECT i.inhrelid FROM parts a JOIN (SELECT * FROM pg_inherits WHERE false) i"),
            Function("relygate.audit_defects()", "WHERE t.tgfoid = 'relygate.refuse_audit_change()'::regprocedure AND", "WHERE false AND")),
    Defence("audit-guard-of-parts", "22", "the guard looks at what is attached to the audit, or was its own, under any name", Function("relygate.guard_audit_ddl()",
            "UNION SELECT i.inhrelid FROM parts a JOIN pg_inherits i", "UNION SELECT i.inhrelid FROM parts a JOIN (SELECT * FROM pg_inherits WHERE false) i"),
            Function("relygate.guard_audit_ddl()", "WHERE n.nspname = 'relygate' AND f.proname = 'refuse_audit_change' AND", "WHERE false AND")),
    Defence("audit-keeps-identities", "22", "no row of an audited table gets another id or tenant", Source("extension/pg/audit/audit_trigger.cpp",
            "    if (action == RowAction::update_row)\n        refuse_another_identity", "    if (false)\n        refuse_another_identity")),
    Defence("audit-knows-columns", "22", "a table's owner gives no column another name or type, and drops none", Source("extension/pg/tenancy/protect.cpp",
            "{kForgedTrigger, kOpenKeys, kColumnsChanged}", "{kForgedTrigger, kOpenKeys}")),
    Defence("audit-triggers-listed", "22", "validate_schema() names an audit trigger that is missing or not the right one", Source("extension/pg/tenancy/protect.cpp",
            "defects_of(kOneTable, {kForgedTrigger, kNoAudit}, false)", "defects_of(kOneTable, {}, false)")),
    Defence("erasure-takes-nothing-else", "22", "an erasure changes nothing else", Function(REFUSE,
            "AND to_jsonb(NEW) ->> 'changes' IS NULL AND to_jsonb(NEW) ->> 'salt' IS NULL\n"
            "       AND to_jsonb(NEW) - '{changes,salt}'::text[] = to_jsonb(OLD) - '{changes,salt}'::text[] THEN", "THEN")),
]
