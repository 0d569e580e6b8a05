#!/usr/bin/python3
"""The bench's slow places: what goes through, what waits, and what is left behind."""

import mmap
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, List

sys.dont_write_bytecode = True
# Not resolved: under Bazel this lies beside bench/ in the test's runfiles.
_BENCH = Path(os.path.abspath(__file__)).parent.parent / "bench"
sys.path.insert(0, str(_BENCH))

from runner import copies, processes  # noqa: E402
from runner.data_sets import DataSet, Shape  # noqa: E402
from runner.errors import Interrupted  # noqa: E402
from runner.places import Place, open_place  # noqa: E402
from runner.processes import in_child  # noqa: E402
from runner.programs import Keeps  # noqa: E402
from runner.session import Session  # noqa: E402
from runner.slow_server import SlowServer  # noqa: E402

_DATA = DataSet("tree", Shape.FILES, entries=40, directories=4)
_SECONDS_MAX = 30.0

_WHY_NOT = (
    "only root mounts here" if os.geteuid() != 0
    else "" if os.access("/dev/fuse", os.R_OK | os.W_OK)
    else "no /dev/fuse"
)  # fmt: skip


def processes_of_sessions(temporary: Path) -> List[int]:
    """Of those that bench sessions in this directory have started, all that still run."""
    names = [f"RINGCP_BENCH_SESSION={path.name}".encode() for path in temporary.iterdir()]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # It has ended.
        if any(name in environment for name in names):
            found.append(int(process.name))
    return found


@unittest.skipIf(_WHY_NOT, _WHY_NOT)
class SlowPlaceTest(unittest.TestCase):
    def setUp(self) -> None:
        os.environ.setdefault("SLOW_FILE_SYSTEM", str(_BENCH / "slow_file_system"))
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.temporary = Path(directory.name)

    def open(self, use: Callable[[Place], None]) -> None:
        """Opens a place of 10 ms in a process of its own, as a session changes its process."""

        def run() -> None:
            with Session(self.temporary, keep=False) as session:
                with open_place("slow-10ms", session, self.temporary, [_DATA], 1) as place:
                    use(place)

        self.assertEqual(in_child(run), "")

    def test_a_copy_made_there_is_right_seen_there_and_below(self) -> None:
        def use(place: Place) -> None:
            source = place.source(_DATA, seed=1)
            subprocess.run(["cp", "-a", str(source), str(place.target)], check=True)
            for see in (place.behind, lambda path: path):
                copies.check(see(source), see(place.target), Keeps.EVERYTHING, 1, whole=True)

        self.open(use)

    def test_names_links_and_kinds_go_through(self) -> None:
        def use(place: Place) -> None:
            top, below = place.directory, place.behind(place.directory)
            (top / "file").write_bytes(b"x" * 5_000_001)
            (top / "link").symlink_to("/nowhere")
            os.link(top / "file", top / "second")
            os.rename(top / "second", top / "renamed")
            os.mkfifo(top / "fifo", 0o640)
            os.truncate(top / "file", 7)
            self.assertEqual(sorted(os.listdir(top)), ["fifo", "file", "link", "renamed"])
            self.assertEqual(os.readlink(below / "link"), "/nowhere")
            self.assertEqual((below / "renamed").read_bytes(), b"x" * 7)
            self.assertTrue(stat.S_ISFIFO((below / "fifo").lstat().st_mode))
            for name in os.listdir(top):
                os.unlink(top / name)
            self.assertEqual(os.listdir(below), [])

        self.open(use)

    def test_no_link_leads_out_of_the_directory_below(self) -> None:
        outside = self.temporary / "outside"
        outside.touch(0o600)

        def use(place: Place) -> None:
            link = place.directory / "link"
            link.symlink_to(outside)
            os.utime(link, ns=(1, 1), follow_symlinks=False)
            os.chown(link, 1, 1, follow_symlinks=False)

        self.open(use)
        status = outside.stat()
        self.assertEqual((status.st_mode & 0o777, status.st_uid), (0o600, 0))
        self.assertNotEqual(status.st_mtime_ns, 1)

    def test_a_file_that_has_lost_its_name_is_still_read_and_written(self) -> None:
        def use(place: Place) -> None:
            with open(place.directory / "file", "w+b", buffering=0) as file:
                os.unlink(place.directory / "file")
                self.assertFalse((place.directory / "file").exists())
                file.write(b"contents")
                os.fchmod(file.fileno(), 0o601)
                self.assertEqual(os.pread(file.fileno(), 8, 0), b"contents")
                self.assertEqual(os.fstat(file.fileno()).st_mode & 0o777, 0o601)

        self.open(use)

    def test_each_request_waits(self) -> None:
        def use(place: Place) -> None:
            names = [f"file{number}" for number in range(20)]
            for name in names:
                (place.behind(place.directory) / name).touch()
            started = time.monotonic()
            for name in names:
                os.stat(place.directory / name)
            self.assertGreaterEqual(time.monotonic() - started, 20 * 0.010)

        self.open(use)

    def test_what_changed_below_is_seen_once_a_place_has_settled(self) -> None:
        def use(place: Place) -> None:
            place.target.mkdir()
            self.assertTrue(place.target.exists())
            place.remove(place.target)
            place.settle()
            self.assertFalse(place.target.exists())

        self.open(use)

    def test_an_interrupted_run_leaves_neither_mount_nor_process(self) -> None:
        def use(place: Place) -> None:
            source = place.source(_DATA, seed=1)

            def interrupt() -> None:
                while not place.behind(place.target).exists():
                    time.sleep(0.001)
                os.kill(os.getpid(), signal.SIGINT)

            threading.Thread(target=interrupt).start()
            with self.assertRaises(Interrupted) as caught:
                processes.run(
                    ["/bin/cp", "-r", str(source), str(place.target)], self.temporary / "messages"
                )
            self.assertEqual(caught.exception.signal_number, signal.SIGINT)
            self.sessions = list(self.temporary.glob("ringcp-bench-*"))

        self.open(use)
        self.assertEqual(list(self.temporary.glob("ringcp-bench-*")), [])
        self.assertNotIn(str(self.temporary), Path("/proc/self/mountinfo").read_text("utf-8"))

    def test_a_killed_run_takes_its_server_along(self) -> None:
        def kill(place: Place) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        with self.assertRaisesRegex(AssertionError, "ended with status -9"):
            self.open(kill)
        self.assertEqual(len(list(self.temporary.glob("ringcp-bench-*"))), 1)
        give_up = time.monotonic() + _SECONDS_MAX
        while processes_of_sessions(self.temporary) and time.monotonic() < give_up:
            time.sleep(0.001)
        self.assertEqual(processes_of_sessions(self.temporary), [])
        self.open(lambda place: None)
        self.assertEqual(list(self.temporary.glob("ringcp-bench-*")), [])


@unittest.skipIf(_WHY_NOT, _WHY_NOT)
class SlowServerTest(unittest.TestCase):
    def setUp(self) -> None:
        os.environ.setdefault("SLOW_FILE_SYSTEM", str(_BENCH / "slow_file_system"))
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.temporary = Path(directory.name)
        self.below = self.temporary / "below"
        self.below.mkdir()

    def in_session(self, run: Callable[[Path], None]) -> None:
        def within() -> None:
            with Session(self.temporary, keep=False) as session:
                point = session.directory / "point"
                point.mkdir()
                run(point)

        self.assertEqual(in_child(within), "")

    def test_requests_wait_beside_each_other(self) -> None:
        block_bytes, blocks = 4096, 64
        (self.below / "file").write_bytes(bytes(block_bytes * blocks))

        def run(point: Path) -> None:
            with SlowServer(self.below, point, 250), ThreadPoolExecutor(blocks) as pool:
                file = os.open(point / "file", os.O_RDONLY | os.O_DIRECT)

                def read(block: int) -> int:
                    buffer = mmap.mmap(-1, block_bytes)  # Aligned, as O_DIRECT wants it.
                    return os.preadv(file, [buffer], block * block_bytes)

                started = time.monotonic()
                self.assertEqual(list(pool.map(read, range(blocks))), [block_bytes] * blocks)
                # One after the other they would take 16 s.
                self.assertLess(time.monotonic() - started, 4.0)
                os.close(file)

        self.in_session(run)

    def test_it_ends_well_once_it_is_unmounted(self) -> None:
        def run(point: Path) -> None:
            command = [os.environ["SLOW_FILE_SYSTEM"], str(self.below), str(point), "1"]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
                assert server.stdout is not None
                self.assertEqual(server.stdout.readline(), b"mounted\n")
                os.stat(point)
                subprocess.run(["umount", str(point)], check=True)
                self.assertEqual(server.wait(_SECONDS_MAX), 0)

        self.in_session(run)

    def test_what_makes_no_sense_is_refused(self) -> None:
        for words in ([], [str(self.below)], [str(self.below), "/", "1x"], ["a", "b", "-1"]):
            done = subprocess.run(
                [os.environ["SLOW_FILE_SYSTEM"], *words], stderr=subprocess.PIPE, check=False
            )
            self.assertEqual((done.returncode, done.stderr[:6]), (2, b"usage:"))


if __name__ == "__main__":
    unittest.main()
