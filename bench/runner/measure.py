"""One work: its peers and ringcp in turn; each copy checked, removed and synced away."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List, Optional, Sequence, Union

from . import agent, copies, cpu_profile, dear_calls, engine_lines, processes
from .agent import Agent
from .cpu_profile import CpuProfile
from .data_sets import DataSet
from .errors import LeftOut
from .pairs import Pair, Sample, Summary, mean_sample, summarize
from .places import Place
from .programs import Keeps, Side, expand, fill
from .targets import Metric, Verdict, judge
from .works import GROWTH_NUMBER, Work

_FIRST_PROGRESS_RUNS = 5


@dataclass(frozen=True)
class Settings:
    """The settings that all works of a run share."""

    ringcp: Path
    peer_ringcp: Path  # What "ringcp" stands for in the peer's command.
    ringcpd: Path
    pairs: int
    seed: int
    quick: bool
    log: Callable[[str], None]


@dataclass(frozen=True)
class Comparison:
    """ringcp beside one peer of a work."""

    peer: Side
    command: List[str]  # The peer's.
    pairs: List[Pair]
    summary: Summary


@dataclass(frozen=True)
class Result:
    """A work that was measured."""

    work: Work
    entries: int  # of the data set
    command: List[str]  # ringcp's
    comparisons: List[Comparison]  # with each peer
    verdicts: List[Verdict]
    figures: Dict[Metric, float] = field(default_factory=dict)  # What runs of their own told.
    # Where a target is missed, and of both sides of a growth: what the time goes into, or
    # why that is not known.
    profile: Union[CpuProfile, str] = ""

    @property
    def best(self) -> Comparison:
        """With the best peer, which is what the work is judged by."""
        return with_best_peer(self.comparisons)

    @property
    def summary(self) -> Summary:
        return self.best.summary

    @property
    def missed(self) -> bool:
        return not all(verdict.met for verdict in self.verdicts)


def with_best_peer(comparisons: Sequence[Comparison]) -> Comparison:
    return min(comparisons, key=lambda comparison: comparison.summary.ratio)


def measure(work: Work, place: Place, data_set: DataSet, settings: Settings) -> Result:
    """Raises LeftOut or BenchFailed where there is no result."""
    wrap = dear_calls.wrap if work.dear_calls else list
    peers = [wrap(expand(peer, settings.peer_ringcp)) for peer in work.peers]
    command = wrap(expand(work.ringcp, settings.ringcp))
    source = place.source(data_set, settings.seed)
    with ExitStack() as stack:
        through = None
        if work.through_agent:
            # Not in the place's directory, because an agent that hangs must not hold a
            # mount.
            through = stack.enter_context(Agent(settings.ringcpd, Path.cwd()))
        runs = _Runs(work, place, data_set, source, settings, through)
        warm_up = runs.round(peers, command, 0) if work.warm_up else []
        rounds = []
        count = min(settings.pairs, work.pairs_max or settings.pairs)
        for number in range(1, count + 1):
            rounds.append(runs.round(peers, command, number))
            settings.log(f"{work.name}  {number}/{count}  {_describe(work, rounds[-1])}")
        comparisons = []
        for index, peer in enumerate(work.peers):
            pairs = [each[index] for each in rounds]
            peaks = [warm_up[index].peer, warm_up[index].ringcp] if warm_up else []
            summary = summarize(pairs, *(sample.peak_bytes for sample in peaks))
            comparisons.append(Comparison(peer, peers[index], pairs, summary))
        figures = runs.figures(command)
        summary = with_best_peer(comparisons).summary
        verdicts = [judge(target, summary, figures) for target in work.targets]
        result = Result(work, data_set.entries, command, comparisons, verdicts, figures)
        if result.missed or work.number == GROWTH_NUMBER:
            settings.log(f"{work.name}  one more run, for its profile")
            result = replace(result, profile=runs.profile(command))
    place.clear()
    return result


@dataclass(frozen=True)
class _Runs:
    """The runs of one work."""

    work: Work
    place: Place
    data_set: DataSet
    source: Path
    settings: Settings
    through: Optional[Agent]

    def round(self, peers: List[List[str]], command: List[str], number: int) -> List[Pair]:
        """Each peer, then ringcp: its run beside that of each peer.

        Number 0 is the warm-up: not timed, but watched and checked to the last byte.
        """
        samples = [
            self._sample(words, peer.keeps, number, None)
            for words, peer in zip(peers, self.work.peers)
        ]
        ringcp = self._sample(command, self.work.ringcp.keeps, number, self.through)
        return [Pair(sample, ringcp) for sample in samples]

    def figures(self, command: List[str]) -> Dict[Metric, float]:
        """What the work's targets are about and no pair tells."""
        ways = {Metric.FIRST_PROGRESS: self._first_progress, Metric.SQES: self._sqe_share}
        metrics = [target.metric for target in self.work.targets if target.metric in ways]
        return {metric: ways[metric](command) for metric in metrics}

    def _first_progress(self, command: List[str]) -> float:
        """Seconds, the median of some runs through the agent."""
        assert self.through is not None
        seconds = []
        for _ in range(_FIRST_PROGRESS_RUNS):
            self.place.settle()
            filled = fill(command, self.source, self.place.target, self.through.address)
            seconds.append(agent.seconds_to_first_progress(filled))
            self._check(self.work.ringcp.keeps, 0, whole=False)
            self.place.discard(self.place.target, self.data_set)
        return median(seconds)

    def _sqe_share(self, command: List[str]) -> float:
        """Of one run that tells what its engine did."""
        self.place.settle()
        messages = Path.cwd() / "messages"
        processes.run(fill([*command, "--debug"], self.source, self.place.target), messages)
        self._check(self.work.ringcp.keeps, 0, whole=False)
        self.place.discard(self.place.target, self.data_set)
        return engine_lines.sqe_share(messages.read_text(encoding="utf-8", errors="replace"))

    def profile(self, command: List[str]) -> Union[CpuProfile, str]:
        """The profile of one run, which is not timed; or why there is none."""
        if self.work.starts != 1:
            return "too short for a profile"
        self.place.settle()
        address = self.through.address if self.through is not None else ""
        filled = fill(command, self.source, self.place.target, address)
        try:
            return cpu_profile.record(filled, Path.cwd() / "perf.data")
        except LeftOut as reason:
            return f"no profile: {reason}"
        finally:
            self.place.discard(self.place.target, self.data_set)

    def _sample(
        self, command: List[str], keeps: Keeps, number: int, through: Optional[Agent]
    ) -> Sample:
        place, warm_up = self.place, number == 0
        place.settle()
        if self.work.starts == 1:
            sample = self._run(command, place.target, warm_up, through)
            self._check(keeps, number, whole=number == self._whole_number)
        else:
            starts = max(1, self.work.starts // (10 if self.settings.quick else 1))
            place.target.mkdir()
            targets = [place.target / str(start) for start in range(starts)]
            sample = mean_sample(
                [self._run(command, target, warm_up, through) for target in targets]
            )
            copies.check_starts(self.source, targets)
        place.discard(place.target, self.data_set)
        return sample

    def _run(
        self, command: List[str], target: Path, watched: bool, through: Optional[Agent]
    ) -> Sample:
        messages = Path.cwd() / "messages"
        if through is None:
            return processes.run(fill(command, self.source, target), messages, watched)
        before = through.cpu_seconds()
        filled = fill(command, self.source, target, through.address)
        client = processes.run(filled, messages, watched)
        return Sample(
            client.seconds,
            client.cpu_seconds + through.cpu_seconds() - before,
            client.peak_bytes + through.peak_bytes(),
        )

    @property
    def _whole_number(self) -> int:
        """The round whose copies are checked to the last byte."""
        return 0 if self.work.warm_up else 1

    def _check(self, keeps: Keeps, number: int, whole: bool) -> None:
        source, target = (self.place.behind(path) for path in (self.source, self.place.target))
        copies.check(source, target, keeps, self.settings.seed + number, whole)


def _describe(work: Work, pairs: List[Pair]) -> str:
    sides = [*work.peers, work.ringcp]
    samples = [*(pair.peer for pair in pairs), pairs[0].ringcp]
    words = [f"{side.label} {sample.seconds:.4g} s" for side, sample in zip(sides, samples)]
    return f"{'  '.join(words)}  ratio {min(pair.ratio for pair in pairs):.2f}"
