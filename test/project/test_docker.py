"""What a Dockerfile copies is enough for what it runs, seen without building an image: its first stage is laid out in a folder
and configured there. docker/check builds the images, as root and in minutes."""
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import ROOT


def first_stage(name):
    return (ROOT / "docker" / name).read_text().split("\nFROM ")[1]


def lay_out(stage, folder):
    for words in re.findall(r"^COPY (.+)$", stage, re.M):
        *sources, target = [word for word in words.split() if not word.startswith("--")]
        for source in sources:
            # The context is what git has, not what a build left in this checkout.
            tracked = subprocess.run(["git", "ls-files", "-z", source], cwd=ROOT, check=True, capture_output=True, text=True).stdout
            names = [entry for entry in tracked.split("\0") if entry]
            assert names, f"COPY {source}: there is nothing of that name"
            for entry in names:
                inside = pathlib.Path(entry).relative_to(source) if entry != source else ""
                place = folder / target / inside
                if entry == source and (target.endswith("/") or target == "."):
                    place = folder / target / pathlib.Path(source).name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / entry, place)


@pytest.mark.parametrize("dockerfile, configure", [
    ("Dockerfile.shim", ["cmake", "-S", ".", "-B", "build", "-DRELYGATE_TESTS=OFF"]),
    # -n: every file that make would read is there, and nothing is compiled.
    ("Dockerfile.postgres", ["make", "-C", "extension", "-n"]),
])
def test_what_the_first_stage_copies_is_all_that_its_build_reads(dockerfile, configure, tmp_path):
    stage = first_stage(dockerfile)
    assert "RUN " + " ".join(configure[:3]) in stage, "this test no longer runs what the Dockerfile runs"
    lay_out(stage, tmp_path)
    done = subprocess.run(configure, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
