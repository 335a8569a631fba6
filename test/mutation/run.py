#!/usr/bin/env python3
"""Takes each defence out, one at a time, and sees that exactly the tests that name it fail (make mutation; names: defence.py).

    test/mutation/run.py [--wide] [WORD ...]     only the defences whose subject, name, attack or text has one of the words

For a defence all tests are run of those files in which any test names it, and of the files of its subject: those that name more
defences of it than of any other subject. With --wide all files are run in which any test names any defence. Prints a line a defence: name, what it guards, the tests that caught it, seconds. Exit 1 when a
defence is caught by no test, when a test that names it survives its removal, when a test fails that does not name it, or when a
test names a defence that is not there.
"""
import os
import pathlib
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "isolation"), str(HERE.parent / "sql")]

from mutation.defence import WHOLE, subjects  # noqa: E402
from mutation.naming_check import files_by_name, problems  # noqa: E402
from mutation.scratch import Broken, Scratch  # noqa: E402


def homes(by_name):
    """Of each file the subject of which it names the most defences."""
    counts = {}
    for subject, defences in subjects().items():
        for defence in defences:
            for path in by_name.get(defence.name, ()):
                of_file = counts.setdefault(path, {})
                of_file[subject] = of_file.get(subject, 0) + 1
    return {path: max(sorted(of_file), key=of_file.get) for path, of_file in counts.items()}


def scope(files):
    """pgTAP's and pytest's."""
    return [path for path in sorted(files) if path.suffix == ".sql"], [path for path in sorted(files) if path.suffix == ".py"]


def verdict(defence, whole, found):
    """The tests that caught the defence, and what is wrong."""
    wrong, caught = [], []
    for test, (names, _) in whole.items():
        if defence.name in names and test not in found:
            wrong.append(f"was not reached: {test}")
    for test, (names, outcome) in found.items():
        if outcome == "error":
            wrong.append(f"could not begin: {test}")
        elif outcome == "failed" and defence.name in names:
            caught.append(test)
        elif outcome == "failed" and WHOLE not in names:
            wrong.append(f"fails and does not name it: {test}")
        elif outcome == "passed" and defence.name in names:
            wrong.append(f"survives its removal: {test}")
    if not caught:
        wrong.append("no test has caught it")
    return caught, wrong


def short(tests):
    """Names of tests without folders and parameters, each once, with how many of it."""
    counted = {}
    for test in tests:
        name = test.split("[")[0].split("::")[-1] if ".py::" in test else test.split(" ")[0]
        counted[name] = counted.get(name, 0) + 1
    return ", ".join(name if count == 1 else f"{name} ({count})" for name, count in counted.items())


class Runner:
    def __init__(self, folder, wide, words):
        self.folder, self.began = folder, time.monotonic()
        self.by_name = files_by_name()
        self.work = queue.SimpleQueue()
        self.wanted, self.scopes = [], {}
        home = homes(self.by_name)
        for subject, defences in subjects().items():
            for defence in defences:
                if not words or any(word in f"{subject}: {defence.name} {defence.guards} {defence.what}" for word in words):
                    self.wanted.append(defence)
                    files = {path for path in home if wide or home[path] == subject}
                    self.scopes[defence.name] = scope(files | set(self.by_name.get(defence.name, ())))
        for defence in self.wanted:
            self.work.put(defence)
        self.results, self.failures, self.lock, self.printed = {}, [], threading.Lock(), 0

    def worker(self, scratch):
        try:
            scratch.begin()
            whole = self.whole(scratch)
            while not self.failures:
                try:
                    defence = self.work.get_nowait()
                except queue.Empty:
                    return
                self.judge(scratch, defence, whole)
        except Broken as broken:
            self.failures.append(str(broken))
        finally:
            scratch.remove()

    def whole(self, scratch):
        """Nothing is taken out: everything passes. Without that no failure would prove anything."""
        tap = sorted({path for files, _ in self.scopes.values() for path in files})
        python = sorted({path for _, files in self.scopes.values() for path in files}) if scratch.folder.name == "0" else []
        scratch.fresh_mutant()
        found = scratch.outcomes(tap, python)
        if bad := [test for test, (_, outcome) in found.items() if outcome != "passed"]:
            raise Broken("fails with all defences in place: " + "; ".join(bad[:10]))
        return found

    def judge(self, scratch, defence, whole):
        began = time.monotonic()
        tap, python = self.scopes[defence.name]
        inside = {test: facts for test, facts in whole.items() if test.split(":")[0] in {path.name for path in tap}}
        try:
            scratch.take_out(defence)
            caught, wrong = verdict(defence, inside, scratch.outcomes(tap, python))
        except (Broken, Exception) as broken:    # psycopg2's errors, too: the SQL of a defence is wrong
            caught, wrong = [], [f"could not be taken out: {broken}"]
        finally:
            scratch.put_back(defence)
        with self.lock:
            self.results[defence.name] = (caught, wrong, time.monotonic() - began)
            while self.printed < len(self.wanted) and self.wanted[self.printed].name in self.results:
                self.line(self.wanted[self.printed])
                self.printed += 1

    def line(self, defence):
        caught, wrong, seconds = self.results[defence.name]
        print(f"{'ok ' if not wrong else 'BAD'} {defence.name:<28} {defence.guards:<14} {seconds:4.0f} s  {len(caught):3} caught it: {short(caught)}", flush=True)
        for what in wrong:
            print(f"      {what}", flush=True)

    def run(self):
        scratches = [Scratch(f"{self.folder}/{number}") for number in range(min(2, len(self.wanted), os.cpu_count() or 1))]
        scratches[0].make()
        for scratch in scratches[1:]:
            scratch.copy_of(scratches[0])
        print(f"installation, cluster and database for {len(scratches)} workers: {time.monotonic() - self.began:.0f} s", flush=True)
        workers = [threading.Thread(target=self.worker, args=(scratch,)) for scratch in scratches]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        except KeyboardInterrupt:       # no thread is left behind with a cluster
            self.failures.append("interrupted")
            for worker in workers:
                worker.join()
        bad = sum(bool(wrong) for _, wrong, _ in self.results.values())
        tests = {test for caught, _, _ in self.results.values() for test in caught}
        print(f"{len(self.results)} of {len(self.wanted)} defences taken out, {len(self.results) - bad} caught by exactly their tests, {bad} not; "
              f"{len(tests)} tests; {time.monotonic() - self.began:.0f} s")
        for failure in self.failures:
            print(failure, file=sys.stderr)
        return 1 if bad or self.failures or len(self.results) < len(self.wanted) else 0


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    options = set(sys.argv[1:]) - set(words)
    if options - {"--wide"}:
        print(__doc__, file=sys.stdout if options & {"-h", "--help"} else sys.stderr)
        return 0 if options & {"-h", "--help"} else 2
    if wrong := problems():
        print("\n".join(wrong), file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = tempfile.mkdtemp(prefix="relygate-mutation.")
    os.chmod(folder, 0o711)
    try:
        runner = Runner(folder, "--wide" in options, words)
        if not runner.wanted:
            print(f"no defence has one of the words: {' '.join(words)}", file=sys.stderr)
            return 2
        return runner.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
