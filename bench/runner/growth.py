"""Target P10: the cost of copying must not grow faster than what there is to copy.

The works of a pair differ only in size or in depth. Time is counted for each entry: a
file, a directory, an extent. The growth of the peer's time is reported beside ringcp's,
because a machine's caches and memory are slower for a large tree, whichever program
copies it. If ringcp's time grew too much, profiles of both works show in which functions.
"""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

from .cpu_profile import FUNCTIONS_MAX, CpuProfile
from .measure import Result
from .pairs import SideSummary
from .targets import PEAK_GROWTH_MAX, TIME_GROWTH_MAX


@dataclass(frozen=True)
class Growth:
    """Two works by name; time is counted for each `entry`."""

    small: str
    large: str
    entry: str


GROWTHS: Sequence[Growth] = (
    Growth("growth-50k", "growth-1m", "file"),
    Growth("growth-50k-archive", "growth-1m-archive", "file"),
    Growth("growth-flat-50k", "growth-flat-1m", "file"),
    Growth("deep-200", "deep-2000", "directory"),
    Growth("extents-10k", "extents-100k", "extent"),
)


@dataclass(frozen=True)
class Factors:
    """The large work's figures as multiples of the small one's."""

    growth: Growth
    peak: Optional[float]  # None if a peak is not known.
    time: float
    peer_time: float
    where: str = ""  # The functions whose time grew, if that is known.

    @property
    def peak_met(self) -> Optional[bool]:
        return None if self.peak is None else self.peak <= PEAK_GROWTH_MAX

    @property
    def time_met(self) -> bool:
        return self.time <= TIME_GROWTH_MAX

    def __str__(self) -> str:
        growth = self.growth
        peak = "peak unknown" if self.peak is None else f"peak {self.peak:.2f}×"
        return (
            f"P10: {growth.small} to {growth.large}: {peak} (≤ {PEAK_GROWTH_MAX:g}: "
            f"{_verdict(self.peak_met)}), time per {growth.entry} {self.time:.2f}× "
            f"(≤ {TIME_GROWTH_MAX:g}: {_verdict(self.time_met)}; peer {self.peer_time:.2f}×)"
        )

    def document(self) -> Dict[str, Any]:
        return {
            "number": "P10",
            "small": self.growth.small,
            "large": self.growth.large,
            "entry": self.growth.entry,
            "peak": {"factor": self.peak, "bound": PEAK_GROWTH_MAX, "met": self.peak_met},
            "time": {"factor": self.time, "bound": TIME_GROWTH_MAX, "met": self.time_met},
            "peer_time": {"factor": self.peer_time},
        }


def factors(results: Sequence[Result], growths: Sequence[Growth] = GROWTHS) -> List[Factors]:
    """The factors of all growths of which both works were measured."""
    by_name = {result.work.name: result for result in results}
    return [
        _factors(growth, by_name[growth.small], by_name[growth.large])
        for growth in growths
        if growth.small in by_name and growth.large in by_name
    ]


def seconds_per_entry(result: Result, side: SideSummary) -> float:
    return side.median_seconds / result.entries


def _factors(growth: Growth, small: Result, large: Result) -> Factors:
    peaks = small.summary.ringcp.peak_bytes, large.summary.ringcp.peak_bytes
    return Factors(
        growth,
        where=_where(small, large),
        peak=peaks[1] / peaks[0] if all(peaks) else None,
        time=seconds_per_entry(large, large.summary.ringcp)
        / seconds_per_entry(small, small.summary.ringcp),
        peer_time=seconds_per_entry(large, large.summary.peer)
        / seconds_per_entry(small, small.summary.peer),
    )


@dataclass(frozen=True)
class _Costs:
    """CPU time for each entry, in microseconds."""

    profile: CpuProfile
    entries: int

    @property
    def whole(self) -> float:
        return self.profile.busy_seconds / self.entries * 1e6

    def of(self, function: str) -> float:
        return self.profile.seconds(function) / self.entries * 1e6


def _where(small: Result, large: Result) -> str:
    """The functions whose time for each entry grew most, by both works' profiles."""
    costs = []
    for result in (small, large):
        if not isinstance(result.profile, CpuProfile):
            return f"{result.work.name}: {result.profile}"
        costs.append(_Costs(result.profile, result.entries))
    before, after = costs

    def grown(function: str) -> float:
        return after.of(function) - before.of(function)

    names = sorted(after.profile.functions, key=grown, reverse=True)[:FUNCTIONS_MAX]
    functions = ", ".join(f"{grown(name):+.2f} {name}" for name in names)
    return f"{before.whole:.2f} to {after.whole:.2f} µs of CPU time, of the growth: {functions}"


def _verdict(met: Optional[bool]) -> str:
    return "unknown" if met is None else "met" if met else "MISSED"
