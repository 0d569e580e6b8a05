#!/usr/bin/python3
"""That calls can be made to cost more, and that io_uring is not hindered by it."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
# Not resolved: under Bazel this lies beside bench/ in the test's runfiles.
_ROOT = Path(os.path.abspath(__file__)).parent.parent
sys.path.insert(0, str(_ROOT / "bench"))
os.environ.setdefault("DEAR_CALLS", str(_ROOT / "bench" / "dear_calls"))

from runner import dear_calls  # noqa: E402

_PROGRAM = os.environ["DEAR_CALLS"]


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().strip()


class DearCallsTest(unittest.TestCase):
    def test_a_call_takes_about_as_much_longer_as_it_should(self) -> None:
        cost = int(output(_PROGRAM, "cost"))
        dear = int(output(*dear_calls.wrap([_PROGRAM, "cost"])))
        # Far from exact: the machine may have other work to do.
        self.assertGreater(dear - cost, dear_calls.NANOSECONDS / 2)
        self.assertLess(dear - cost, dear_calls.NANOSECONDS * 4)

    def test_io_uring_copies_behind_it(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            source, target = Path(directory) / "source", Path(directory) / "target"
            source.write_bytes(b"contents")
            done = subprocess.run(
                dear_calls.wrap([
                    str(_ROOT / "cli" / "ringcp"), "--engine=uring", "--debug", str(source),
                    str(target),
                ]),
                stderr=subprocess.PIPE,
                check=False,
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stderr.decode(), r"engine uring[^\n]*\n.*[1-9][0-9]* SQEs")
            self.assertEqual(target.read_bytes(), b"contents")

    def test_it_becomes_the_program(self) -> None:
        done = subprocess.run(dear_calls.wrap(["/bin/sh", "-c", "exit 3"]), check=False)
        self.assertEqual(done.returncode, 3)

    def test_what_makes_no_sense_is_refused(self) -> None:
        for words in ([], ["cost", "1"], ["fit", "0"], ["run", "5000", "/bin/true"], ["run", "1"]):
            done = subprocess.run([_PROGRAM, *words], stderr=subprocess.PIPE, check=False)
            self.assertEqual((done.returncode, done.stderr[:6]), (2, b"usage:"), words)

    def test_the_report_tells_both_costs(self) -> None:
        self.assertRegex(
            dear_calls.describe(), r"^\d+ ns \(getppid\); in works with dear calls \d+ ns$"
        )


if __name__ == "__main__":
    unittest.main()
