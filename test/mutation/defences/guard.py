"""The guard: event triggers that refuse what would leave a tenant table unprotected, and the trigger against TRUNCATE."""
from mutation.defence import Defence, Sql
from mutation.each import EACH_TABLE

DEFENCES = [
    Defence("truncate-trigger", "15", "the trigger against TRUNCATE", Sql(EACH_TABLE.format("EXECUTE format('DROP TRIGGER relygate_no_truncate ON %s', t);"))),
    Defence("guard-of-changes", "21", "the event trigger relygate_guard_ddl", Sql("DROP EVENT TRIGGER relygate_guard_ddl")),
    Defence("guard-of-drops", "21", "the event trigger relygate_guard_drop", Sql("DROP EVENT TRIGGER relygate_guard_drop")),
]
