#!/usr/bin/python3
"""Tests the bench's arithmetic, its choice of works, and that it notices wrong copies."""

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
# Not resolved: under Bazel this file lies beside bench/ in the test's runfiles.
sys.path.insert(0, str(Path(os.path.abspath(__file__)).parent.parent / "bench"))

from runner import copies, cpu_profile, engine_lines, places  # noqa: E402
from runner.data_sets import DATA_SETS, DataSet, Shape  # noqa: E402
from runner.errors import BenchFailed, LeftOut  # noqa: E402
from runner.measure import Comparison, Result  # noqa: E402
from runner.pairs import Pair, Sample, mean_sample, summarize  # noqa: E402
from runner.processes import in_child, run  # noqa: E402
from runner.programs import Keeps, Side, expand, fill  # noqa: E402
from runner.report import Report  # noqa: E402
from runner.targets import Metric, Target, judge  # noqa: E402
from runner.works import WORKS, against_before, by_data, select  # noqa: E402


def sample(seconds: float, cpu_seconds: float = 1.0, peak_bytes: int = 0) -> Sample:
    return Sample(seconds, cpu_seconds, peak_bytes)


class SummaryTest(unittest.TestCase):
    def test_ratio_is_of_the_medians_and_spread_of_the_pairs(self) -> None:
        pairs = [
            Pair(sample(2.0), sample(1.0)),
            Pair(sample(3.0), sample(1.0)),
            Pair(sample(40.0), sample(2.0)),  # Noise, which must not move the ratio.
        ]
        summary = summarize(pairs)
        self.assertEqual(summary.ratio, 3.0)
        self.assertEqual((summary.ratio_lowest, summary.ratio_highest), (2.0, 20.0))
        self.assertEqual(summary.peer.minimum_seconds, 2.0)
        self.assertEqual(summary.ringcp.minimum_seconds, 1.0)

    def test_peak_is_the_highest_of_all_runs(self) -> None:
        pairs = [Pair(sample(1, peak_bytes=5), sample(1, peak_bytes=0))]
        summary = summarize(pairs, peer_peak=3, ringcp_peak=7)
        self.assertEqual(summary.peer.peak_bytes, 5)
        self.assertEqual(summary.ringcp.peak_bytes, 7)

    def test_mean_of_short_runs(self) -> None:
        mean = mean_sample([sample(1, 4, 2), sample(3, 6, 1)])
        self.assertEqual(mean, Sample(2, 5, 2))


class TargetTest(unittest.TestCase):
    def test_each_metric_on_both_sides_of_its_bound(self) -> None:
        # A ratio of 1.25: 0.8 of the peer's time; 0.5 of its CPU; 0.25 of that in user mode.
        summary = summarize([Pair(Sample(5.0, 2.0, 0, 0.4), Sample(4.0, 1.0, 0, 0.1))])
        figures = {Metric.FIRST_PROGRESS: 0.02, Metric.SQES: 0.9}
        for metric, met, missed in (
            (Metric.RATIO, 1.25, 1.26),
            (Metric.TIME, 0.8, 0.79),
            (Metric.CPU, 0.5, 0.49),
            (Metric.USER, 0.25, 0.24),
            (Metric.FIRST_PROGRESS, 0.02, 0.019),
            (Metric.SQES, 0.9, 0.91),
        ):
            with self.subTest(metric):
                self.assertTrue(judge(Target(metric, met), summary, figures).met)
                self.assertFalse(judge(Target(metric, missed), summary, figures).met)


class SeveralPeersTest(unittest.TestCase):
    def setUp(self) -> None:
        (work,) = select(["best-small-ext4"])
        ringcp = sample(1.0)
        comparisons = [
            Comparison(peer, [peer.label], pairs, summarize(pairs))
            for peer, pairs in zip(
                work.peers,
                # The second one is faster, but for one pair.
                ([Pair(sample(s), ringcp) for s in times] for times in ((2, 2, 2), (0.9, 0.9, 9))),
            )
        ]
        self.result = Result(work, 50_000, ["ringcp"], comparisons, [])

    def test_the_ratio_is_to_the_peer_with_the_best_median(self) -> None:
        self.assertEqual(self.result.best.peer.label, "ringcp -r --engine=threads")
        self.assertEqual(self.result.summary.ratio, 0.9)

    def test_the_report_tells_each_of_them(self) -> None:
        report = Report(pairs=3, seed=1, quick=False)
        report.results = [self.result]
        rows = [
            [cell.strip() for cell in line.split("|")[1:-1]]
            for line in report.text().splitlines()
            if line.startswith("| best-small-ext4 ")
        ]
        self.assertEqual(rows[0][2:4], ["ringcp -r --engine=threads", "0.90"])
        self.assertEqual(
            [row[1:4] for row in rows[1:]],
            [
                ["ringcp -r", "", "1"],
                ["ringcp -r --engine=uring", "2.00", "2"],
                ["ringcp -r --engine=threads", "0.90", "0.9"],
            ],
        )
        (document,) = report.document()["works"]
        self.assertEqual(document["peer"]["label"], "ringcp -r --engine=threads")
        (other,) = document["other_peers"]
        self.assertEqual((other["label"], other["ratio"]), ("ringcp -r --engine=uring", 2.0))


class OneRunTest(unittest.TestCase):
    def test_the_report_tells_what_is_not_known_without_a_warm_up(self) -> None:
        (work,) = select(["slow-10ms"])
        self.assertEqual((work.pairs_max, work.warm_up), (1, False))
        pairs = [Pair(sample(200.0), sample(2.0))]
        comparison = Comparison(work.peer, ["cp"], pairs, summarize(pairs))
        report = Report(pairs=1, seed=1, quick=False)
        report.results = [Result(work, 2000, ["ringcp"], [comparison], [])]
        self.assertIn("where a run is long: slow-10ms 1 and none to warm up\n", report.text())
        self.assertIn("P10: ringcp's highest peak is not known\n", report.text())
        self.assertEqual(report.document()["peak_memory"], {})


class SqeShareTest(unittest.TestCase):
    def test_it_is_of_the_ops_that_have_an_opcode(self) -> None:
        text = (
            "ringcp: engine uring: it was asked for\n"
            "ringcp: 900 SQEs (500 linked) in 400 chains, 30 enters; 150 ops by system calls, "
            "100 of them with an io_uring opcode\n"
            "ringcp: 2 workers, 100 files, 0 short reads, 0 short writes, 0 retries\n"
        )
        self.assertEqual(engine_lines.sqe_share(text), 0.9)

    def test_without_io_uring_it_is_nothing(self) -> None:
        self.assertEqual(engine_lines.sqe_share("ringcp: 150 ops by system calls\n"), 0.0)


class CpuProfileTest(unittest.TestCase):
    TEXT = """
     300       |swapper        |[kernel.kallsyms]                  |[k] pv_native_safe_halt
     400       |ringcp         |[kernel.kallsyms]                  |[k] _copy_to_iter
     200       |iou-wrk-3323   |[kernel.kallsyms]                  |[k] _copy_to_iter
     100       |ringcp         |ringcp                             |[.] ringcp::Walk::Next
    """

    def test_shares_are_of_the_samples_that_were_not_idle(self) -> None:
        profile = cpu_profile.parse(self.TEXT)
        self.assertAlmostEqual(profile.document()["idle"], 0.3)
        self.assertAlmostEqual(profile.document()["kernel"], 6 / 7)
        names = [name for name, _ in profile.largest()]
        self.assertEqual(names, ["_copy_to_iter", "ringcp::Walk::Next"])
        self.assertIn("85.7% _copy_to_iter", str(profile))

    def test_few_samples_tell_nothing(self) -> None:
        with self.assertRaises(LeftOut):
            cpu_profile.parse("199|ringcp|ringcp|[.] main")


class SelectTest(unittest.TestCase):
    def names(self, *given: str) -> list:
        return [work.name for work in select(given)]

    def test_all_without_names_but_those_to_be_named(self) -> None:
        self.assertEqual(self.names(), [work.name for work in WORKS if not work.only_named])

    def test_name_number_pattern_and_first_part(self) -> None:
        self.assertEqual(self.names("small-ext4"), ["small-ext4"])
        self.assertEqual(self.names("p7"), ["one-ext4", "one-tmpfs"])
        self.assertEqual(self.names("*-xfs"), ["small-xfs", "large-xfs", "best-small-xfs"])
        self.assertEqual(self.names("one"), ["one-ext4", "one-tmpfs"])

    def test_unknown_name(self) -> None:
        with self.assertRaises(ValueError):
            select(["nothing"])

    def test_against_an_earlier_ringcp_each_command_is_measured_once(self) -> None:
        works = against_before(WORKS)
        self.assertIn("small-ext4", [work.name for work in works])
        self.assertNotIn("small-ext4-tar", [work.name for work in works])  # -r once more.
        self.assertFalse(any(work.through_agent for work in works))
        for work in works:
            with self.subTest(work.name):
                self.assertEqual(work.peer.command, work.ringcp.command)
                metrics = [target.metric for target in work.targets]
                self.assertEqual(work.more_peers, ())
                has_entries = DATA_SETS[work.data].entries > 1
                expected = [Metric.RATIO, Metric.USER] if has_entries else [Metric.RATIO]
                self.assertEqual(metrics, expected)

    def test_each_kind_of_work_is_measured_with_dear_calls_and_without(self) -> None:
        best = select(["P14"])
        kinds = [[], []]
        for work in best:
            kinds[work.dear_calls].append((work.data, work.place, work.ringcp, work.peers))
            engines = [set(peer.command) - set(work.ringcp.command) for peer in work.peers]
            self.assertEqual(engines, [{"--engine=uring"}, {"--engine=threads"}])
        self.assertEqual(kinds[0], kinds[1])
        self.assertEqual(self.names("best"), [work.name for work in best])

    def test_works_on_the_same_data_follow_each_other(self) -> None:
        works = [work for work in by_data(WORKS) if work.place == "ext4"]
        data = [work.data for work in works]
        changes = sum(before != after for before, after in zip(data, data[1:]))
        self.assertEqual(changes, len(set(data)) - 1)
        self.assertEqual(sorted(works, key=WORKS.index), [w for w in WORKS if w.place == "ext4"])

    def test_works_name_what_exists_and_only_once(self) -> None:
        self.assertEqual(len({work.name for work in WORKS}), len(WORKS))
        for work in WORKS:
            self.assertIn(work.data, DATA_SETS)
            self.assertIn(work.place, places.NAMES)


class CommandTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.ringcp = Path(directory.name) / "ringcp"
        self.ringcp.write_text("#!/bin/sh\necho '  --engine=KIND'\n", encoding="ascii")
        self.ringcp.chmod(0o755)

    def test_unknown_options_are_left_away_or_leave_the_work_out(self) -> None:
        side = Side("ringcp", ("ringcp", "--engine=threads", "?--reflink=never", "{source}"))
        words = expand(side, self.ringcp)
        self.assertEqual(words, [str(self.ringcp), "--engine=threads", "{source}"])
        self.assertEqual(fill(words, Path("/s"), Path("/t"))[2], "/s")
        with self.assertRaises(LeftOut):
            expand(Side("ringcp", ("ringcp", "--direct")), self.ringcp)

    def test_missing_peer_leaves_the_work_out(self) -> None:
        with self.assertRaises(LeftOut):
            expand(Side("no-such-program", ("sh", "-c", "true")), self.ringcp)


class CopyTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.source = self.directory / "source"
        self.target = self.directory / "target"
        DataSet("small", Shape.FILES, entries=40, directories=4).make(7, self.source)
        shutil.copytree(self.source, self.target)
        self.file = self.target / "dir0001" / "file000011.dat"

    def check(self, keeps: Keeps = Keeps.MODES, whole: bool = False) -> None:
        copies.check(self.source, self.target, keeps, seed=1, whole=whole)

    def assert_wrong(self, keeps: Keeps = Keeps.MODES) -> None:
        for whole in (False, True):
            with self.assertRaisesRegex(BenchFailed, "WRONG COPY"):
                self.check(keeps, whole)

    def test_a_right_copy_passes(self) -> None:
        self.check(whole=True)
        self.check()

    def test_the_same_seed_makes_the_same_data(self) -> None:
        again = self.directory / "again"
        DataSet("small", Shape.FILES, entries=40, directories=4).make(7, again)
        copies.check(self.source, again, Keeps.CONTENTS, seed=1, whole=True)

    def test_other_bytes(self) -> None:
        content = bytearray(self.file.read_bytes())
        content[len(content) // 2] ^= 1
        self.file.write_bytes(content)
        self.assert_wrong()

    def test_a_missing_file(self) -> None:
        self.file.unlink()
        self.assert_wrong()

    def test_a_file_too_many(self) -> None:
        (self.target / "more").touch()
        self.assert_wrong()

    def test_another_size(self) -> None:
        os.truncate(self.file, 1)
        self.assert_wrong()

    def test_another_mode_and_time_where_they_are_kept(self) -> None:
        self.file.chmod(0o777)
        self.check(Keeps.CONTENTS)
        self.assert_wrong(Keeps.MODES)
        self.file.chmod((self.source / "dir0001" / self.file.name).stat().st_mode)
        os.utime(self.file, ns=(1, 1))
        self.check(Keeps.MODES)
        self.assert_wrong(Keeps.EVERYTHING)

    def test_one_large_file(self) -> None:
        source, target = self.directory / "one", self.directory / "copy"
        DataSet("one", Shape.ONE_FILE, 1, 1, 5_000_001).make(7, source)
        shutil.copy(source, target)
        copies.check(source, target, Keeps.MODES, seed=1, whole=False)
        with open(target, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(bytes([source.read_bytes()[-1] ^ 1]))
        with self.assertRaises(BenchFailed):
            copies.check(source, target, Keeps.MODES, seed=1, whole=False)


class ProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.messages = Path(directory.name) / "messages"

    def test_time_cpu_and_peak(self) -> None:
        # Sleeping takes time without CPU. The peak is far above that of this process.
        code = "import time; x = bytearray(2**28); time.sleep(0.2)"
        measured = run([sys.executable, "-I", "-c", code], self.messages)
        self.assertGreaterEqual(measured.seconds, 0.2)
        self.assertLess(measured.cpu_seconds, measured.seconds)
        self.assertGreater(measured.peak_bytes, 2**28)

    def test_a_small_peak_is_known_when_watched(self) -> None:
        command = ["/bin/sleep", "0.05"]
        self.assertEqual(run(command, self.messages).peak_bytes, 0)
        self.assertLess(0, run(command, self.messages, watched=True).peak_bytes)

    def test_failure_tells_the_last_words(self) -> None:
        with self.assertRaisesRegex(BenchFailed, "exit code 3: alas"):
            run(["/bin/sh", "-c", "echo alas >&2; exit 3"], self.messages)

    def test_in_child(self) -> None:
        def fail() -> None:
            raise ValueError("no good")

        self.assertEqual(in_child(lambda: None), "")
        self.assertEqual(in_child(fail), "no good")


if __name__ == "__main__":
    unittest.main()
