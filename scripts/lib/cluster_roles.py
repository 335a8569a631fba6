"""Roles, memberships and rights on parameters: they belong to the cluster, and pg_dumpall writes them as SQL.

That SQL creates and alters every role of the old cluster. Here it runs statement by statement chosen: a role that exists stays as
it is, and in a cluster with roles of its own only those come that the database refers to, so that nobody who was removed since comes
back by the way.
"""
import re

import content
from database import Session, literal
from program import say

_ROLE = r'("(?:[^"]|"")+"|[^\s";,]+)'
_MADE = re.compile(rf"(?:CREATE|ALTER|COMMENT ON|SECURITY LABEL .*? ON) ROLE {_ROLE}", re.S)
_MEMBER = re.compile(rf"GRANT {_ROLE} TO {_ROLE}(.*?)(?: GRANTED BY {_ROLE})?", re.S)
_PARAMETER = re.compile(rf"(?:GRANT|REVOKE) .* ON PARAMETER \S+ (?:TO|FROM) {_ROLE}(?: .*)?", re.S)


def plain(name):
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def statements(text):
    """The statements of a script, without psql's own commands and comments. Literals and names may hold anything."""
    found, current = [], ""
    for token in re.findall(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|^(?:--|\\)[^\n]*\n|;|.""", text, re.M | re.S):
        if token == ";":
            found.append(current.strip())
            current = ""
        elif not token.startswith(("--", "\\")):
            current += token
    return found


def chosen(text, create, needed):
    """What of pg_dumpall's script is to be run: for roles to be created, and what binds roles that are needed."""
    kept = []
    for statement in statements(text):
        made, member, parameter = (form.fullmatch(statement) if form is not _MADE else form.match(statement)
                                   for form in (_MADE, _MEMBER, _PARAMETER))
        if made:
            wanted = plain(made[1]) in create
        elif parameter:
            wanted = plain(parameter[1]) in create | needed
        elif member:
            # Who granted it says nothing before PostgreSQL 16, and may be a role that does not come along.
            statement = f"GRANT {member[1]} TO {member[2]}{member[3]}"
            wanted = {plain(member[1]), plain(member[2])} <= create | needed | {plain(member[1])} and plain(member[2]) in create | needed
        else:
            wanted = statement.startswith("SET ")
        if wanted:
            kept.append(statement)
    return kept


def plan(session, manifest, catalog, text):
    """The statements for this cluster. Refuses where a role of the same name is another one."""
    existing = {row["rolname"] for row in session.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}
    needed = set(manifest["roles"])
    of_old = {fact for fact in catalog if content.kind_of(fact) == "roles"}
    others = [fact for fact in content.facts(session, "", needed & existing) if content.kind_of(fact) == "roles" and fact not in of_old]
    content.fail_on(others, "roles of this cluster have other attributes than in the backup; make them equal (ALTER ROLE) or use another cluster")
    is_empty = not session.value("SELECT EXISTS (SELECT FROM pg_roles WHERE oid >= 16384)")
    every = {plain(found[1]) for found in map(_MADE.match, statements(text)) if found}
    left = every - needed - existing
    if left and not is_empty:
        say(f"roles that the database does not refer to are left out: {', '.join(sorted(left))}")
    return chosen(text, (every if is_empty else needed) - existing, needed)


def create(address, maintenance, plan_of_roles):
    """All in one transaction: a role without its attributes must not stay behind."""
    with Session(address, maintenance) as session:
        session.execute("BEGIN")
        for statement in plan_of_roles:
            session.execute(statement)
        session.execute("COMMIT")


def missing_passwords(session, roles):
    names = ", ".join(literal(name) for name in roles)
    return [row["rolname"] for row in session.rows(f"SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword IS NULL AND rolname IN ({names})")]
