"""What a work has to reach, and whether it did."""

from dataclasses import dataclass
from enum import Enum
from typing import Mapping

from .pairs import Summary

# For every tree and every file (target P10).
PEAK_BYTES_MAX = 96 * 2**20
# From 50,000 to 1,000,000 files: of the peak, and of the time for each file (target P10).
PEAK_GROWTH_MAX = 1.2
TIME_GROWTH_MAX = 1.15


class Metric(Enum):
    """What a target is about. RATIO and SQES are better when larger, the others when smaller."""

    RATIO = "ratio"
    TIME = "time"  # of ringcp, as a multiple of the peer's
    CPU = "CPU"  # of ringcp, as a multiple of the peer's
    USER = "user CPU"  # of ringcp outside the kernel, as a multiple of the peer's
    FIRST_PROGRESS = "first progress"  # seconds
    SQES = "SQEs"  # of the ops that io_uring has an opcode for, the part that it was given


# These are not in the pairs, but are found out by runs of their own.
FIGURES = (Metric.FIRST_PROGRESS, Metric.SQES)


@dataclass(frozen=True)
class Target:
    metric: Metric
    bound: float

    def __str__(self) -> str:
        if self.metric is Metric.RATIO:
            return f"≥ {self.bound:g}"
        if self.metric is Metric.FIRST_PROGRESS:
            return f"{self.metric.value} ≤ {self.bound * 1000:g} ms"
        if self.metric is Metric.SQES:
            return f"{self.metric.value} ≥ {self.bound:.0%}"
        return f"{self.metric.value} ≤ {self.bound:g}×"


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured for it, unrounded."""

    target: Target
    value: float

    @property
    def met(self) -> bool:
        if self.target.metric in (Metric.RATIO, Metric.SQES):
            return self.value >= self.target.bound
        return self.value <= self.target.bound

    def __str__(self) -> str:
        if self.met:
            return "met"
        if self.target.metric is Metric.FIRST_PROGRESS:
            return f"MISSED ({self.value * 1000:.1f} ms)"
        if self.target.metric is Metric.SQES:
            return f"MISSED ({self.value:.1%})"
        return f"MISSED ({self.value:.2f})"


def judge(target: Target, summary: Summary, figures: Mapping[Metric, float]) -> Verdict:
    """REQUIRES: `figures` has what the target is about, if that is one of FIGURES."""
    if target.metric in FIGURES:
        return Verdict(target, figures[target.metric])
    if target.metric is Metric.RATIO:
        return Verdict(target, summary.ratio)
    if target.metric is Metric.TIME:
        return Verdict(target, 1 / summary.ratio)
    if target.metric is Metric.CPU:
        return Verdict(target, summary.cpu_share)
    assert target.metric is Metric.USER
    return Verdict(target, summary.user_share)
