"""What a defence is, and how it is taken out: the vocabulary of the files in defences/, one file a subject.

A defence has a name. A test says which defences it guards: in pytest by @pytest.mark.defence("name", ...) on the test or on one
of its parameters, in pgTAP by [name, name] at the end of the description. Two defences that stand behind each other, so that
neither alone can be missed, are a third one that takes out both. The name "postgresql" is for what PostgreSQL itself refuses and no
grant or change of ours could allow: nothing is taken out for it. The name "whole" is for tests that look at everything, such as
an empty validate_schema(): any defence may make them fail, and they prove none.
"""
import dataclasses
import importlib
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WHOLE, POSTGRESQL = "whole", "postgresql"
NAME = r"[a-z][a-z0-9]+(?:-[a-z0-9]+)*"
TAP_NAMES = re.compile(rf"\[({NAME}(?:, {NAME})*)\]$")


@dataclasses.dataclass(frozen=True)
class Source:
    """A place in a source file of the extension: what stands there, once, and what stands there without the defence."""
    path: str
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class Function:
    """The same in the text of a function of the database, as pg_get_functiondef() has it."""
    signature: str
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class Sql:
    """Statements run by a superuser while the guard sleeps. What they change beyond the database (roles, parameters), undo mends."""
    text: str
    undo: str = ""


@dataclasses.dataclass(frozen=True)
class Defence:
    name: str
    guards: str         # numbers of attacks, ids of cases, or a word
    what: str           # what is taken out
    changes: tuple

    def __init__(self, name, guards, what, *changes):
        for field, value in (("name", name), ("guards", guards), ("what", what), ("changes", changes)):
            object.__setattr__(self, field, value)

    def sources(self):
        return [change for change in self.changes if isinstance(change, Source)]


def subjects():
    """The defences of each subject."""
    files = sorted((pathlib.Path(__file__).parent / "defences").glob("*.py"))
    return {path.stem: importlib.import_module(f"mutation.defences.{path.stem}").DEFENCES for path in files}


def names_in_tap(description):
    """The defences that a pgTAP description names."""
    found = TAP_NAMES.search(description.strip())
    return found[1].split(", ") if found else []
