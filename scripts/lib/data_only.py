"""The rows of a backup into a migrated schema, in one transaction: it commits when the comparison with the manifest is done.

Triggers are off (session_replication_role), so nothing is audited twice and no state is refused; nothing is altered for it, so nothing
has to be armed again.
"""
import os
import re

import content
import program
import restoring
from database import Session
from program import Failure, say

# The migrations make keys; those of the backup take their place, since document hashes are found by them.
_REPLACED = "relygate_global.signing_keys"


def _is_left_out(table):
    """The record of migrations is the target's own."""
    return table.startswith("sqitch.")


def restore(backup, address):
    reader, writer = os.pipe()
    with Session(address, keep=(reader,)) as session:
        os.close(reader)
        restoring.refuse_older_server(session, backup)
        content.same_versions(session, backup.manifest, "the backup")
        wanted = {name: known for name, known in backup.manifest["tables"].items() if not _is_left_out(name)}
        session.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        months = sorted(name[-7:].replace("_", "-") for name in wanted if re.fullmatch(r"relygate\.audit_log_\d{4}_\d\d", name))
        if months:
            content.make_months_since(session, months[0])
        filled = [table["name"] for table in content.tables(session) if not _is_left_out(table["name"]) and table["name"] != _REPLACED
                  and session.value(f"SELECT EXISTS (SELECT FROM {table['name']})")]
        if filled:
            raise Failure(f"there are rows already in {', '.join(filled)}; nothing was touched\n--data-only fills a database that scripts/deploy has just made.")
        say(f"restoring the rows of {backup.database['name']} into {address.database}")
        session.execute(f"SET LOCAL session_replication_role = replica; DELETE FROM {_REPLACED}")
        script = ["pg_restore", "--data-only", "--no-tablespaces", "--exclude-schema", "sqitch", "-f", "-", backup.dump]
        with program.Child(script, address.environment, stdout=writer) as child:
            os.close(writer)
            try:
                session.execute(f"\\i /dev/fd/{reader}\n")
            except Failure:
                if child.process.wait() > 0:    # it was the first to fail; by a signal it ends when psql has
                    child.wait()
                raise
            child.wait()
        say("counting and comparing")
        found = {table["name"]: content.measure(session, table) for table in content.tables(session) if not _is_left_out(table["name"])}
        empty = {"rows": 0, "checksum": "0"}
        content.fail_on(content.table_differences({**{name: empty for name in found if name.startswith("relygate.audit_log_")}, **wanted}, found),
                        "what was restored differs from the manifest, and nothing was kept:")
        session.execute("COMMIT; ANALYZE")
