"""Which test files name which defence, read from their text, and what does not fit: quick enough for every `make check`."""
import pathlib
import re

from mutation.defence import POSTGRESQL, ROOT, WHOLE, Source, names_in_tap, subjects

TEST = ROOT / "test"
# A pgTAP description ends with the names; then its literal ends. In pytest the names are the marker's literals.
IN_SQL = re.compile(r"\[[a-z0-9, -]+\](?=')")
IN_PYTHON = re.compile(r"(?:mark\.defence|defended_by)\(((?:\s*\"[a-z0-9-]+\",?)+)\s*\)")


def names_in(path):
    text = path.read_text()
    if path.suffix == ".sql":
        return {name for found in IN_SQL.findall(text) for name in names_in_tap(found)}
    return {name for found in IN_PYTHON.findall(text) for name in re.findall(r'"([a-z0-9-]+)"', found)}


def files_by_name():
    """Each defence that any test names, and the files with such tests."""
    files = {}
    for path in [*sorted((TEST / "sql").glob("*.sql")), *sorted(TEST.rglob("test_*.py"))]:
        for name in names_in(path) if path.parent != pathlib.Path(__file__).parent else ():
            files.setdefault(name, []).append(path)
    return files


def problems():
    """Names that mean nothing, defences that nobody names, places in sources that are not there or not unique."""
    wrong, known = [], {WHOLE, POSTGRESQL}
    for subject, defences in subjects().items():
        for defence in defences:
            if defence.name in known:
                wrong.append(f"{subject}: the name {defence.name} is taken")
            known.add(defence.name)
            for change in defence.changes:
                if isinstance(change, Source) and (count := (ROOT / change.path).read_text().count(change.old)) != 1:
                    wrong.append(f"{subject}: {defence.name}: {change.path} has {count} times: {change.old}")
    named = files_by_name()
    for name, paths in named.items():
        if name not in known:
            wrong.append(f"{', '.join(str(path.relative_to(ROOT)) for path in paths)}: there is no defence {name}")
    wrong += [f"no test names the defence {name}" for name in sorted(known - set(named) - {WHOLE, POSTGRESQL})]
    return wrong
