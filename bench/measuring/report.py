"""Rows of the table: goal, figure, verdict, spread; and what machine it was."""
import dataclasses
import datetime
import os
import pathlib
import platform
import re
import statistics
import subprocess

from .ground import ROOT

BEGIN, END = "<!-- bench/run writes from here -->", "<!-- to here -->"


@dataclasses.dataclass
class Row:
    key: str
    what: str
    goal: float
    at_least: bool
    unit: str = ""
    values: list = dataclasses.field(default_factory=list)
    note: str = "not measured in this run"

    def add(self, value):
        self.values.append(value)

    def figure(self):
        return statistics.median(self.values)

    def shown(self, value):
        digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
        return f"{value:.{digits}f}{self.unit}"

    def cells(self):
        goal = f"{'≥' if self.at_least else '≤'} {self.goal:g}{self.unit}"
        if not self.values:
            return [self.what, goal, "-", self.note, ""]
        is_met = self.figure() >= self.goal if self.at_least else self.figure() <= self.goal
        return [self.what, goal, self.shown(self.figure()), "met" if is_met else "missed",
                f"{self.shown(min(self.values))} to {self.shown(max(self.values))} ({len(self.values)})"]


def table(rows):
    lines = [["what", "goal", "median", "verdict", "spread (rounds)"], *[row.cells() for row in rows]]
    widths = [max(len(line[n]) for line in lines) for n in range(5)]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    return "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])


def first_line(*command):
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return "none"
    return (run.stdout or run.stderr).strip().splitlines()[0]


def machine(load_before):
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)
    postgres = first_line(ROOT / "scripts/postgres", "run", "postgres", "--version")
    return (f"{datetime.date.today()}, {len(os.sched_getaffinity(0))} cores of {cpu[1] if cpu else platform.machine()}, "
            f"{int(memory[1]) / 1048576:.0f} GB, Linux {platform.release()}; {postgres}; {first_line('wrk', '-v').split('[')[0].strip()}; "
            f"Node {first_line('node', '--version')}. Load generator, server, PostgreSQL and peers share the cores; fsync and "
            f"synchronous_commit are on. Other load before the run (1 minute): {load_before:.1f}.")


def write_page(rows, about, remarks):
    page = ROOT / "docs/performance.md"
    text = page.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + BEGIN + "\n" + about + "\n\n" + table(rows) + "\n\n" + "\n".join(remarks) + "\n" + END + after)
