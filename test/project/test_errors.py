"""docs/errors.md is what the sources say, and a code that the product answers stands in it."""
import importlib.machinery
import importlib.util

from conftest import ROOT

LOADER = importlib.machinery.SourceFileLoader("error_codes", str(ROOT / "scripts/error-codes"))
error_codes = importlib.util.module_from_spec(importlib.util.spec_from_loader("error_codes", LOADER))
LOADER.exec_module(error_codes)
PAGE = (ROOT / "docs/errors.md").read_text()


def test_the_page_is_fresh():
    assert PAGE == error_codes.page(), "run scripts/error-codes"


def test_answers_have_codes_of_the_page(guard):
    answers = [guard.get("/api/nothing"), guard.post("/api/gates"), guard.get("/api/visits", token=False), guard.get("/api/visits?page=0&colour=red"),
               guard.post("/api/visits", b"{"), guard.post("/api/visits", b"x", headers={"Content-Type": "text/csv"}), guard.request("PUT", "/api/visits"),
               guard.get("/api/visits/01990000-0000-7000-8000-00000000dead"), guard.request("GET", "/%zz")]
    assert {answer.status for answer in answers} >= {400, 401, 403, 404, 405, 415}, answers
    for answer in answers:
        for code in [answer.code] + [error["code"] for error in answer.json["errors"]]:
            assert f"| `{code}` |" in PAGE, answer
