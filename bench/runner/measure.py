"""One work: peer, ringcp, peer, ringcp, ...; each copy checked, removed and synced away."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Callable, List, Optional, Tuple, Union

from . import agent, copies, cpu_profile, processes
from .agent import Agent
from .cpu_profile import CpuProfile
from .data_sets import DataSet
from .errors import LeftOut
from .pairs import Pair, Sample, Summary, mean_sample, summarize
from .places import Place
from .programs import Keeps, expand, fill
from .targets import Metric, Verdict, judge
from .works import GROWTH_NUMBER, Work

_FIRST_PROGRESS_RUNS = 5


@dataclass(frozen=True)
class Settings:
    """What is the same for all works of a run."""

    ringcp: Path
    peer_ringcp: Path  # What "ringcp" stands for in the peer's command.
    ringcpd: Path
    pairs: int
    seed: int
    quick: bool
    log: Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """A work that was measured."""

    work: Work
    entries: int  # of the data set
    commands: Tuple[List[str], List[str]]  # peer, ringcp
    pairs: List[Pair]
    summary: Summary
    verdicts: List[Verdict]
    first_progress_seconds: Optional[float]
    # Where a target is missed, and of both sides of a growth: what the time goes into, or
    # why that is not known.
    profile: Union[CpuProfile, str] = ""

    @property
    def missed(self) -> bool:
        return not all(verdict.met for verdict in self.verdicts)


def measure(work: Work, place: Place, data_set: DataSet, settings: Settings) -> Result:
    """Raises LeftOut or BenchFailed where there is no result."""
    commands = expand(work.peer, settings.peer_ringcp), expand(work.ringcp, settings.ringcp)
    source = place.source(data_set, settings.seed)
    with ExitStack() as stack:
        through = None
        if work.through_agent:
            # Not in the place's directory: an agent that hangs must not hold a mount.
            through = stack.enter_context(Agent(settings.ringcpd, Path.cwd()))
        runs = _Runs(work, place, data_set, source, settings, through)
        warm_up = runs.pair(commands, 0)
        pairs = []
        count = min(settings.pairs, work.pairs_max or settings.pairs)
        for number in range(1, count + 1):
            pairs.append(runs.pair(commands, number))
            settings.log(f"{work.name}  {number}/{count}  {_describe(work, pairs[-1])}")
        first_progress = None
        if any(target.metric is Metric.FIRST_PROGRESS for target in work.targets):
            first_progress = runs.first_progress(commands[1])
        summary = summarize(pairs, warm_up.peer.peak_bytes, warm_up.ringcp.peak_bytes)
        verdicts = [judge(target, summary, first_progress) for target in work.targets]
        result = Result(work, data_set.entries, commands, pairs, summary, verdicts, first_progress)
        if result.missed or work.number == GROWTH_NUMBER:
            settings.log(f"{work.name}  one more run, for its profile")
            result = replace(result, profile=runs.profile(commands[1]))
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

    def pair(self, commands: Tuple[List[str], List[str]], number: int) -> Pair:
        """Number 0 is the warm-up: not timed, but watched and checked to the last byte."""
        return Pair(
            self._sample(commands[0], self.work.peer.keeps, number, None),
            self._sample(commands[1], self.work.ringcp.keeps, number, self.through),
        )

    def first_progress(self, command: List[str]) -> float:
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

    def profile(self, command: List[str]) -> Union[CpuProfile, str]:
        """Of one run, off the clock; or why there is none."""
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
            self._check(keeps, number, whole=warm_up)
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

    def _check(self, keeps: Keeps, number: int, whole: bool) -> None:
        copies.check(self.source, self.place.target, keeps, self.settings.seed + number, whole)


def _describe(work: Work, pair: Pair) -> str:
    return (
        f"{work.peer.label} {pair.peer.seconds:.4g} s"
        f"  {work.ringcp.label} {pair.ringcp.seconds:.4g} s"
        f"  ratio {pair.ratio:.2f}"
    )
