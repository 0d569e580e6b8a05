"""Tries mutations in a copy of the tree; `./dev mutations --help` says how."""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import List, Optional, Type

from mutation_list import Faulty, Mutation, load, mutate, select

_REPOSITORY = Path(__file__).resolve().parents[2]

_DESCRIPTION = """\
Brings faults of the list tests/mutations/mutations.toml into a copy of the tree, one at a
time, and builds and runs the test that the list names for each, which has to fail. The
tree itself is not touched. The first build takes minutes, a mutation some 5 to 15 seconds,
and a minute where a thread waits in vain.
"""

_EPILOG = """\
TEXT chooses the mutations that have it in their name, their file or their test. Exit code:
0 all found; 1 one was not, or could not be tried; 2 bad usage.
"""

# A test that has not ended after this time, in seconds, hangs: as good as a failure.
_TEST_SECONDS_MAX = 120

# Bazel's exit codes.
_TESTS_PASSED = 0
_BUILD_FAILED = 1
_TESTS_FAILED = 3


class Outcome(Enum):
    FOUND = "found"
    HANGS = "found (the test does not end)"
    NOT_FOUND = "NOT FOUND"
    DOES_NOT_APPLY = "does not apply"
    DOES_NOT_BUILD = "does not build"


class _Interrupted(BaseException):
    """SIGTERM or SIGHUP arrived."""


class _Copy:
    """A copy of the tree with a Bazel of its own; all of it is gone at the end."""

    def __init__(self) -> None:
        # Short: the path of a unix socket, which tests make below it, has 107 bytes.
        self._place = Path(tempfile.mkdtemp(prefix="ringcp-m-", dir="/var/tmp"))
        # Some tests become an ordinary user.
        self._place.chmod(0o755)
        self.tree = self._place / "tree"
        self.output = ""  # Of the last test.
        self._jobs: List[str] = []

    def __enter__(self) -> "_Copy":
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=_REPOSITORY,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode()
        # Options of the user's own are ignored by git, and count here, too.
        for name in [*listed.split("\0"), "user.bazelrc"]:
            if name and (_REPOSITORY / name).is_file():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(_REPOSITORY / name, self.tree / name)
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._bazel("shutdown")
        # Bazel takes the right to write from directories of its own.
        subprocess.run(["chmod", "-R", "u+w", self._place], check=False)
        shutil.rmtree(self._place, ignore_errors=True)

    def set_jobs(self, jobs: int) -> None:
        self._jobs = [f"--jobs={jobs}"]

    def test(self, targets: List[str], filters: List[str], options: List[str]) -> int:
        """Builds and runs tests; Bazel's exit code."""
        return self._bazel(
            "test",
            *self._jobs,
            "--noshow_progress",
            "--color=no",
            "--test_output=errors",
            "--cache_test_results=no",
            f"--test_timeout={_TEST_SECONDS_MAX}",
            f"--test_tmpdir={self._place}/t",
            f"--test_filter={':'.join(filters)}",
            *options,
            *targets,
        )

    def _bazel(self, command: str, *arguments: str) -> int:
        ran = subprocess.run(
            ["bazel", f"--output_base={self._place}/b", command, *arguments],
            cwd=self.tree,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.output = ran.stdout.decode(errors="replace")
        return ran.returncode


def _try(mutation: Mutation, copy: _Copy) -> Outcome:
    path = copy.tree / mutation.file
    try:
        faulty = mutate(mutation, copy.tree)
    except Faulty as error:
        copy.output = str(error)
        return Outcome.DOES_NOT_APPLY
    whole = path.read_bytes()
    path.write_text(faulty, encoding="utf-8")
    # What is built with the fault is of no use to anybody later.
    code = copy.test([mutation.test], [mutation.filter], ["--disk_cache="])
    path.write_bytes(whole)
    if code == _TESTS_PASSED:
        return Outcome.NOT_FOUND
    if code == _TESTS_FAILED:
        return Outcome.HANGS if "TIMEOUT in" in copy.output else Outcome.FOUND
    if code == _BUILD_FAILED:
        return Outcome.DOES_NOT_BUILD
    raise Faulty(f"bazel ended with {code}:\n{copy.output}")


def _run(mutations: List[Mutation], jobs: Optional[int]) -> int:
    outcomes: List[Outcome] = []
    started = time.monotonic()
    with _Copy() as copy:
        if jobs is not None:
            copy.set_jobs(jobs)
        print(f"{len(mutations)} mutations; first all their tests without any", flush=True)
        targets = sorted({mutation.test for mutation in mutations})
        filters = sorted({mutation.filter for mutation in mutations})
        # A test that fails anyway finds nothing.
        if copy.test(targets, filters, ["--keep_going"]) != _TESTS_PASSED:
            raise Faulty(f"without a mutation, too:\n{copy.output}")
        for mutation in mutations:
            begun = time.monotonic()
            outcome = _try(mutation, copy)
            outcomes.append(outcome)
            print(
                f"{mutation.name}: {outcome.value}, {time.monotonic() - begun:.0f} s",
                flush=True,
            )
            if outcome in (Outcome.DOES_NOT_APPLY, Outcome.DOES_NOT_BUILD):
                print(copy.output, file=sys.stderr)
    found = sum(outcome in (Outcome.FOUND, Outcome.HANGS) for outcome in outcomes)
    print(f"{found} of {len(mutations)} found, {time.monotonic() - started:.0f} s")
    return 0 if found == len(mutations) else 1


def _end(_number: int, _frame: object) -> None:
    raise _Interrupted()


def main(arguments: List[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="./dev mutations",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", metavar="TEXT", nargs="*")
    parser.add_argument("--list", action="store_true", help="only tell what would be tried")
    parser.add_argument("--jobs", type=int, metavar="N", help="what Bazel does at a time")
    given = parser.parse_args(arguments)
    try:
        mutations = select(load(), given.text)
    except Faulty as error:
        parser.error(str(error))
    if given.list:
        for mutation in mutations:
            print(f"{mutation.name}  {mutation.file}  {mutation.test} {mutation.filter}")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        return _run(mutations, given.jobs)
    except Faulty as error:
        print(f"mutations: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, _Interrupted):
        return 130
