"""The README's tour is run as it stands, command by command, against a demo like that of make run."""
import os
import re
import subprocess

from conftest import ROOT

SECRETS = {name: "Rg-9f4c1b7e2a6d" for name in
           ("ADMIN_PASSWORD", "GUARD_PASSWORD", "SECOND_ADMIN_PASSWORD", "REPORT_PASSWORD", "SECOND_REPORT_PASSWORD",
            "SHIM_PASSWORD")}


def test_the_tour_runs(database, shims, tmp_path):
    subprocess.run([ROOT / "scripts/demo", database.url()], env={**os.environ, **SECRETS}, check=True, stdout=subprocess.DEVNULL)
    shim = shims(database)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/demo.env").write_text("\n".join([
        f"BASE_URL={shim.url}", "TENANT=GREENWOOD", "GUARD_USER=guard", f"GUARD_PASSWORD={SECRETS['GUARD_PASSWORD']}",
        f"DATABASE_URL={database.url()}", f"REPORT_URL={database.url('report_green')}"]) + "\n")
    tour = re.search(r"```sh tour\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    run = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", tour], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    said = run.stdout
    assert run.returncode == 0, said + run.stderr
    for wanted in ('"checked_in"', '"checked_out"', '"visit_state"', "visitor.firstName", "groupSize", "colour", "refused, as it should be",
                   "Ravi", "insert"):
        assert wanted in said, f"{wanted} is missing in:\n{said}\n{run.stderr}"


def test_what_make_run_prints_can_be_pasted(database, shims, tmp_path):
    # After the tour: the demo is there. The block stands in scripts/run as it is printed, but for the escapes of a here-document.
    shim = shims(database)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/demo.env").write_text("\n".join([
        f"BASE_URL={shim.url}", "TENANT=GREENWOOD", "GUARD_USER=guard", f"GUARD_PASSWORD={SECRETS['GUARD_PASSWORD']}",
        f"DATABASE_URL={database.url()}", f"REPORT_URL={database.url('report_green')}"]) + "\n")
    printed = re.search(r"cat <<TRY\n(.*?)\nTRY\n", (ROOT / "scripts/run").read_text(), re.S)[1]
    lines = re.findall(r"^  .*$", printed.replace("\\\\", "\0").replace("\\$", "$").replace("\0", "\\"), re.M)
    run = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert '"checked_in"' in run.stdout and "handle_request" in run.stdout, run.stdout + run.stderr


def test_the_two_commands_come_first():
    text = (ROOT / "README.md").read_text()
    assert 0 < text.index("make run") < text.index("make check") < 1500


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
