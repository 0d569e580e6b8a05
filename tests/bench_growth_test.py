#!/usr/bin/python3
"""Tests the bench's works on growth: their data, the space they need, their report."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import List, Sequence, Tuple

sys.dont_write_bytecode = True
# Not resolved: under Bazel this file lies beside bench/ in the test's runfiles.
sys.path.insert(0, str(Path(os.path.abspath(__file__)).parent.parent / "bench"))

from runner import command_line, copies  # noqa: E402
from runner.cpu_profile import CpuProfile  # noqa: E402
from runner.data_sets import DATA_SETS, DataSet, Shape  # noqa: E402
from runner.errors import BenchFailed, LeftOut  # noqa: E402
from runner.growth import GROWTHS, Growth, factors  # noqa: E402
from runner.measure import Comparison, Result  # noqa: E402
from runner.pairs import Pair, Sample, summarize  # noqa: E402
from runner.places import SLOW, Place, bytes_needed  # noqa: E402
from runner.programs import Keeps  # noqa: E402
from runner.report import Report  # noqa: E402
from runner.works import WORKS, by_data, select  # noqa: E402

_MIB = 2**20


def result(
    name: str, entries: int, seconds: float, peak_bytes: int, peer_seconds: float = 1.0
) -> Result:
    """The result that a run of the work `name` with one pair would have."""
    work = select([name])[0]
    peer = Sample(peer_seconds, peer_seconds, _MIB)
    pairs = [Pair(peer, Sample(seconds, seconds, peak_bytes))]
    comparison = Comparison(work.peer, ["cp"], pairs, summarize(pairs))
    return Result(work, entries, ["ringcp"], [comparison], [])


class FactorsTest(unittest.TestCase):
    GROWTH = Growth("growth-50k", "growth-1m", "file")

    def factors_of(self, small: Result, large: Result):
        (found,) = factors([large, small], [self.GROWTH])
        return found

    def test_time_is_counted_for_each_entry(self) -> None:
        found = self.factors_of(
            result("growth-50k", 50, seconds=1.0, peak_bytes=10 * _MIB, peer_seconds=1.0),
            result("growth-1m", 1000, seconds=23.0, peak_bytes=12 * _MIB, peer_seconds=40.0),
        )
        self.assertAlmostEqual(found.time, 1.15)
        self.assertAlmostEqual(found.peer_time, 2.0)
        self.assertAlmostEqual(found.peak, 1.2)
        self.assertTrue(found.peak_met)

    def test_each_bound_is_missed_beyond_it(self) -> None:
        small = result("growth-50k", 50, seconds=1.0, peak_bytes=100)
        slow = self.factors_of(small, result("growth-1m", 1000, 23.1, peak_bytes=120))
        self.assertEqual((slow.time_met, slow.peak_met), (False, True))
        large = self.factors_of(small, result("growth-1m", 1000, 22.9, peak_bytes=121))
        self.assertEqual((large.time_met, large.peak_met), (True, False))

    def test_a_peak_that_is_not_known_is_not_judged(self) -> None:
        found = self.factors_of(
            result("growth-50k", 50, 1.0, peak_bytes=0), result("growth-1m", 1000, 1.0, 100)
        )
        self.assertIsNone(found.peak_met)
        self.assertIn("peak unknown", str(found))

    def test_where_the_time_grew_is_told_for_each_entry(self) -> None:
        def profile(*samples: Tuple[str, int]) -> CpuProfile:
            return CpuProfile(idle=0, kernel=0, functions=Counter(dict(samples)))

        small = replace(
            result("growth-50k", 50_000, 1.0, 1), profile=profile(("open", 2000), ("close", 1000))
        )
        large = replace(
            result("growth-1m", 1_000_000, 30.0, 1),
            profile=profile(("open", 60_000), ("close", 20_000), ("init", 1_000)),
        )
        where = self.factors_of(small, large).where
        self.assertIn("15.00 to 20.25 µs", where)
        self.assertIn(": +5.00 open, +0.25 init, +0.00 close", where)
        report = Report(pairs=7, seed=1, quick=False)
        report.results = [small, large]
        line = f"- growth-50k to growth-1m, for each file: {where}"
        self.assertIn(line, report.text().splitlines())
        report.results = [small, replace(large, entries=2_000_000)]
        self.assertNotIn(" for each file: ", report.text())

    def test_a_profile_that_could_not_be_taken_says_why(self) -> None:
        small = result("growth-50k", 50_000, 1.0, 1)
        large = replace(result("growth-1m", 1_000_000, 30.0, 1), profile="no profile: no perf")
        self.assertEqual(
            self.factors_of(replace(small, profile=large.profile), large).where,
            "growth-50k: no profile: no perf",
        )

    def test_only_what_was_measured_on_both_ends_is_told(self) -> None:
        self.assertEqual(factors([result("growth-1m", 1000, 1.0, 1)]), [])

    def test_growths_are_between_works_of_the_same_programs_and_place(self) -> None:
        for growth in GROWTHS:
            small, large = select([growth.small])[0], select([growth.large])[0]
            self.assertEqual((small.peer, small.ringcp), (large.peer, large.ringcp))
            self.assertEqual(small.place, large.place)
            self.assertEqual((small.number, large.number), ("P10", "P10"))
            shapes = {DATA_SETS[work.data].shape for work in (small, large)}
            self.assertEqual(len(shapes), 1)


class ReportTest(unittest.TestCase):
    def test_text_and_document_have_figures_factors_and_verdicts(self) -> None:
        report = Report(pairs=7, seed=1, quick=False)
        report.results = [
            result("growth-50k", 50_000, 0.2, 10 * _MIB),
            result("growth-1m", 1_000_000, 6.0, 11 * _MIB, peer_seconds=20.0),
        ]
        text = report.text()
        self.assertIn("| growth-1m  | 1,000,000 | 20.00", text)
        self.assertIn("fewer pairs where a run is long: growth-50k 1, growth-1m 1", text)
        self.assertIn(
            "P10: growth-50k to growth-1m: peak 1.10× (≤ 1.2: met), "
            "time per file 1.50× (≤ 1.15: MISSED; peer 1.00×)",
            text,
        )
        (growth,) = report.document()["growth"]
        self.assertEqual((growth["small"], growth["large"]), ("growth-50k", "growth-1m"))
        self.assertEqual((growth["peak"]["met"], growth["time"]["met"]), (True, False))
        self.assertEqual(report.document()["works"][1]["entries"], 1_000_000)

    def test_works_left_out_for_one_reason_are_told_together(self) -> None:
        report = Report(pairs=7, seed=1, quick=False)
        report.left_out = [("a", "too long"), ("b", "not root"), ("c", "too long")]
        self.assertIn("Left out:\n- a, c: too long\n- b: not root\n", report.text())
        self.assertEqual(len(report.document()["left_out"]), 3)

    def test_without_such_works_nothing_is_said_of_growth(self) -> None:
        report = Report(pairs=1, seed=1, quick=False)
        report.results = [result("small-tmpfs", 50_000, 0.2, 10 * _MIB)]
        self.assertNotIn("per entry", report.text())
        self.assertEqual(report.document()["growth"], [])


class ChoiceTest(unittest.TestCase):
    def names(self, *given: str) -> List[str]:
        return [work.name for work in select(given)]

    def test_long_works_have_to_be_named(self) -> None:
        self.assertNotIn("growth-1m", self.names())
        self.assertIn("growth-1m", self.names("P10"))
        self.assertIn("growth-flat-1m", self.names("growth"))
        self.assertEqual(self.names("growth-1m"), ["growth-1m"])

    def test_otherwise_they_are_left_out_with_the_reason(self) -> None:
        os.environ["RINGCP"] = "/bin/true"
        self.addCleanup(os.environ.pop, "RINGCP")
        left_out = dict(command_line.parse([]).only_named)
        self.assertIn("./dev bench P10", left_out["growth-1m"])
        self.assertEqual(set(left_out), {work.name for work in WORKS if work.only_named})
        self.assertEqual(command_line.parse(["one"]).only_named, [])

    def test_long_works_have_fewer_pairs(self) -> None:
        for work in WORKS:
            is_long = DATA_SETS[work.data].entries >= 1_000_000 or work.place in SLOW
            self.assertEqual(work.pairs_max is not None, is_long, work.name)


class RoomTest(unittest.TestCase):
    def test_sources_are_there_from_their_first_work_to_their_last(self) -> None:
        def one(name: str, size: int) -> DataSet:
            return DataSet(name, Shape.ONE_FILE, entries=1, file_bytes=size * _MIB - _MIB)

        def needed(data_sets: Sequence[DataSet]) -> int:
            return bytes_needed(data_sets) // _MIB

        a, b, c = one("a", 10), one("b", 20), one("c", 30)
        self.assertEqual(needed([a]), 20)
        self.assertEqual(needed([a, a]), 20)
        self.assertEqual(needed([a, b]), 40)
        self.assertEqual(needed([a, b, a]), 10 + 20 + 20)
        self.assertEqual(needed([a, c, b, a]), 10 + 30 + 30)

    def test_growth_fits_beside_the_other_works(self) -> None:
        for place in ("ext4", "tmpfs"):
            works = [work for work in by_data(WORKS) if work.place == place]
            data_sets = [DATA_SETS[work.data] for work in works]
            self.assertLess(bytes_needed(data_sets), 4 * 2**30)

    def test_too_few_inodes_leave_a_work_out(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            place = Place("here", Path(name), "")
            with self.assertRaisesRegex(LeftOut, "inodes needed"):
                place.source(DataSet("all", Shape.FILES, entries=2**60), seed=1)


class DataTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.source = self.directory / "source"

    def test_most_growing_files_are_empty_and_none_is_large(self) -> None:
        data_set = DataSet(
            "tree", Shape.FILES, 100, directories=4, file_bytes=4096, contents_every=10
        )
        data_set.make(1, self.source)
        sizes = [path.stat().st_size for path in self.source.rglob("*.dat")]
        self.assertEqual(len(sizes), 100)
        self.assertEqual(sum(size > 0 for size in sizes), 10)
        self.assertLessEqual(max(sizes), 4096)

    def test_chains_are_as_deep_as_they_should_be(self) -> None:
        DataSet("deep", Shape.CHAINS, entries=60, directories=3).make(1, self.source)
        files = list(self.source.rglob("f"))
        self.assertEqual(len(files), 60)
        depths = [len(path.relative_to(self.source).parts) for path in files]
        self.assertEqual(max(depths), 20 + 2)
        # Below a place's path, PATH_MAX has room for the path of the deepest directory.
        deepest = DATA_SETS["deep-2000"]
        self.assertLess(2 * deepest.entries // deepest.directories, 4096 - 90)

    def test_extents_have_holes_between_them(self) -> None:
        DataSet("extents", Shape.EXTENTS, entries=50).make(1, self.source)
        status = self.source.stat()
        self.assertEqual(status.st_size, 50 * 8192)
        self.assertLess(status.st_blocks * 512, 51 * 4096 + 4096)
        with open(self.source, "rb") as file:
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_HOLE), 4096)
            self.assertEqual(os.lseek(file.fileno(), 4096, os.SEEK_DATA), 8192)

    def test_a_copy_whose_holes_are_filled_is_wrong(self) -> None:
        DataSet("extents", Shape.EXTENTS, entries=50).make(1, self.source)
        target = self.directory / "target"
        target.write_bytes(self.source.read_bytes())
        for whole in (False, True):
            with self.assertRaisesRegex(BenchFailed, "holes"):
                copies.check(self.source, target, Keeps.MODES, seed=1, whole=whole)
        target.unlink()
        subprocess.run(["cp", "--sparse=auto", str(self.source), str(target)], check=True)
        copies.check(self.source, target, Keeps.MODES, seed=1, whole=True)

    def test_a_tenth_keeps_the_shape(self) -> None:
        tenth = DATA_SETS["deep-2000"].tenth()
        whole = DATA_SETS["deep-2000"]
        self.assertEqual(tenth.entries // tenth.directories, whole.entries // whole.directories)
        self.assertEqual(DATA_SETS["growth-1m"].tenth().contents_every, 50)
        self.assertEqual(DATA_SETS["extents-100k"].tenth().entries, 10_000)

    def test_an_empty_file_with_another_size_is_wrong(self) -> None:
        DataSet("tree", Shape.FILES, 10, contents_every=10).make(1, self.source)
        target = self.directory / "target"
        shutil.copytree(self.source, target)
        (target / "file000001.dat").write_bytes(b"x")
        with self.assertRaisesRegex(BenchFailed, "WRONG COPY"):
            copies.check(self.source, target, Keeps.MODES, seed=1, whole=False)


if __name__ == "__main__":
    unittest.main()
