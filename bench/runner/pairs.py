"""The statistics of a work, from its pairs A B A B ...

Machines are shared and noisy, so only ratios of runs next to each other are compared. A
ratio is peer / ringcp: above 1, ringcp is faster.
"""

from dataclasses import dataclass
from statistics import median
from typing import Callable, Sequence


@dataclass(frozen=True)
class Sample:
    """One run of one program, or the mean of several very short ones."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int  # 0 where it is not known
    user_seconds: float = 0.0  # of cpu_seconds, outside the kernel; 0 where it is not known


@dataclass(frozen=True)
class Pair:
    """The peer's run and the run of ringcp that followed it."""

    peer: Sample
    ringcp: Sample

    @property
    def ratio(self) -> float:
        return self.peer.seconds / self.ringcp.seconds


@dataclass(frozen=True)
class SideSummary:
    """One program over all pairs."""

    minimum_seconds: float
    median_seconds: float
    cpu_seconds: float  # median
    peak_bytes: int  # the highest of all runs
    user_seconds: float = 0.0  # median


@dataclass(frozen=True)
class Summary:
    """One work over all pairs."""

    ratio: float  # Of the medians.
    ratio_lowest: float  # Of a single pair.
    ratio_highest: float
    peer: SideSummary
    ringcp: SideSummary

    @property
    def cpu_share(self) -> float:
        """The CPU seconds of ringcp as a part of the peer's."""
        return _share(self.ringcp.cpu_seconds, self.peer.cpu_seconds)

    @property
    def user_share(self) -> float:
        """The same of the CPU seconds outside the kernel."""
        return _share(self.ringcp.user_seconds, self.peer.user_seconds)


def _share(part: float, whole: float) -> float:
    if whole == 0:
        return float("inf") if part > 0 else 1.0
    return part / whole


def mean_sample(samples: Sequence[Sample]) -> Sample:
    """The mean of the repetitions of a very short run. REQUIRES: at least one."""
    return Sample(
        seconds=sum(sample.seconds for sample in samples) / len(samples),
        cpu_seconds=sum(sample.cpu_seconds for sample in samples) / len(samples),
        peak_bytes=max(sample.peak_bytes for sample in samples),
        user_seconds=sum(sample.user_seconds for sample in samples) / len(samples),
    )


def summarize(pairs: Sequence[Pair], peer_peak: int = 0, ringcp_peak: int = 0) -> Summary:
    """Summarizes at least one pair.

    `peer_peak` and `ringcp_peak` are peaks in bytes, known from a run that was not timed.
    """
    peer = _summarize_side(pairs, lambda pair: pair.peer, peer_peak)
    ringcp = _summarize_side(pairs, lambda pair: pair.ringcp, ringcp_peak)
    return Summary(
        ratio=peer.median_seconds / ringcp.median_seconds,
        ratio_lowest=min(pair.ratio for pair in pairs),
        ratio_highest=max(pair.ratio for pair in pairs),
        peer=peer,
        ringcp=ringcp,
    )


def _summarize_side(
    pairs: Sequence[Pair], side: Callable[[Pair], Sample], known_peak: int
) -> SideSummary:
    samples = [side(pair) for pair in pairs]
    return SideSummary(
        minimum_seconds=min(sample.seconds for sample in samples),
        median_seconds=median(sample.seconds for sample in samples),
        cpu_seconds=median(sample.cpu_seconds for sample in samples),
        peak_bytes=max(known_peak, *(sample.peak_bytes for sample in samples)),
        user_seconds=median(sample.user_seconds for sample in samples),
    )
