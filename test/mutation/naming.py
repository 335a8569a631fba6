"""A pytest plugin (-p mutation.naming): writes which defences each test names and how it went, as JSON, to the file RELYGATE_NAMING."""
import json
import os

names, outcomes = {}, {}


def pytest_collection_modifyitems(items):
    for item in items:
        names[item.nodeid] = sorted({name for marker in item.iter_markers("defence") for name in marker.args})


def pytest_runtest_logreport(report):
    if report.failed:
        # What fails outside of the test itself proves nothing about a defence.
        outcomes[report.nodeid] = "failed" if report.when == "call" else "error"
    elif report.when == "call":
        outcomes.setdefault(report.nodeid, "passed")


def pytest_sessionfinish():
    with open(os.environ["RELYGATE_NAMING"], "w", encoding="utf-8") as file:
        json.dump({nodeid: {"names": names[nodeid], "outcome": outcomes.get(nodeid)} for nodeid in names}, file)
