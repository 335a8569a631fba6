"""What the programs of backup and restore have in common: how they speak, how they fail, how they start others.

Exit codes: 0 done, 1 failed or refused (the reason and what to do next on standard error), 2 misuse, 128 + n ended by a signal.
"""
import argparse
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

NAME = f"scripts/{os.path.basename(sys.argv[0])}"
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_begun = time.monotonic()
_is_quiet = False
_libc = ctypes.CDLL(None)


class Failure(Exception):
    """What ends a program with exit code 1: the first line says what is wrong, further lines what to do."""


def say(text):
    """Progress, with the seconds since the start."""
    if not _is_quiet:
        print(f"[{int(time.monotonic() - _begun):3d}s] {text}", flush=True)


def warn(text):
    """What somebody must hear of, also from cron."""
    print(f"{NAME}: warning: {text}", file=sys.stderr, flush=True)


def parser(description, epilog=""):
    made = argparse.ArgumentParser(prog=NAME, description=description, epilog=epilog, allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("-q", "--quiet", action="store_true", help="print errors only (for cron)")
    return made


def positive(text):
    number = int(text)
    if not 1 <= number <= 1000:
        raise ValueError
    return number


def run(main, arguments):
    """Runs main(arguments) and ends the program. Signals become exceptions, so whoever made something takes it away."""
    global _is_quiet
    _is_quiet = arguments.quiet
    os.umask(0o077)

    def leave(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        sys.exit(main(arguments) or 0)
    except Failure as failure:
        reason = str(failure)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        reason = f"{error.strerror or error}{f': {error.filename2 or error.filename}' if error.filename else ''}"
    print(f"{NAME}: {reason}", file=sys.stderr)
    sys.exit(1)


def _die_with_parent():
    # PR_SET_PDEATHSIG: what a killed program had started must not go on by itself.
    _libc.prctl(1, signal.SIGTERM)


class Child:
    """Another program. Its complaints are kept, to be told if it fails."""

    def __init__(self, command, environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, keep=()):
        self.name = os.path.basename(str(command[0]))
        self.complaints = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen([str(word) for word in command], env=environment, stdin=stdin, stdout=stdout,
                                            stderr=self.complaints, pass_fds=keep, preexec_fn=_die_with_parent)
        except FileNotFoundError:
            raise Failure(f"{self.name} is not installed\nInstall PostgreSQL's client programs, of the server's version or newer.") from None

    def complaint(self):
        self.complaints.seek(0)
        text = self.complaints.read().decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-12:])

    def wait(self):
        """Waits for its end; a Failure unless it was a good one."""
        code = self.process.wait()
        if code:
            raise Failure(f"{self.name} ended with {code}:\n{self.complaint()}")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.complaints.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
