"""CONTRIBUTING.md's example of an endpoint works: its two blocks are run as they stand."""
import re

import pytest

from conftest import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def block(language):
    return re.search(rf"```{language} endpoint\n(.*?)```", PAGE, re.S)[1]


@pytest.fixture(scope="module")
def guard(database, tenants, shims):
    database.run(block("sql").replace("@extschema@", "relygate"))
    # In an extension's script, which this block is meant for, they become members by themselves.
    database.run("ALTER EXTENSION relygate ADD TYPE relygate.headcount; "
                 "ALTER EXTENSION relygate ADD FUNCTION relygate.count_heads(uuid, relygate.group_size_input)")
    database.run("SELECT relygate.grant_functions()")
    return tenants.client(shims(database), "north", "guard")


scope = {}
exec(compile(block("python"), "CONTRIBUTING.md", "exec"), scope)  # defines test_headcount, which pytest then finds
test_headcount = scope["test_headcount"]
