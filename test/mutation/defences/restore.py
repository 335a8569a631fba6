"""What a dump keeps."""
from mutation.defence import Defence, Sql

DEFENCES = [
    Defence("dump-guard", "24", "the event triggers are no members of the extension", Sql(
        "ALTER EXTENSION relygate ADD EVENT TRIGGER relygate_guard_ddl; ALTER EXTENSION relygate ADD EVENT TRIGGER relygate_guard_drop")),
    Defence("dump-tables", "24", "the tables are no members of the extension", Sql("ALTER EXTENSION relygate ADD TABLE relygate.visits")),
]
