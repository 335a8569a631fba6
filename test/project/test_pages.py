"""What the pages say of the project is looked up in it, as far as a program can."""
import re

import pytest

from conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_programs_are_there(page):
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text) if not (page.parent / link).exists()]
    programs = [name for name in re.findall(r"\b(?:scripts|bench|docker)/[a-z][\w./-]*\w", text) if not (ROOT / name).exists()]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    unknown = [name for name in re.findall(r"`make ([a-z-]+)", text) if name not in targets]
    assert (links, programs, unknown) == ([], [], [])


def test_every_page_can_be_reached_from_the_readme():
    text = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"(docs/{page.name})" not in text] == []


def test_routes_that_the_pages_name_are_there(database):
    known = {re.sub(r"\{\w+\}", "{}", pattern) for pattern, in database.run("SELECT pattern FROM relygate.routes")}
    named = {(page.name, route) for page in PAGES if page.name != "CONTRIBUTING.md" for route in re.findall(r"/api/[a-z][a-z0-9{}/-]*[a-z}]", page.read_text())}
    assert [(page, route) for page, route in sorted(named) if re.sub(r"\{\w+\}", "{}", route) not in known] == []
