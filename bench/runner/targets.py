"""What a work has to reach, and whether it did."""

from dataclasses import dataclass
from enum import Enum
from typing import Optional

from .pairs import Summary

# Whatever the tree and whatever the file (target P10).
PEAK_BYTES_MAX = 96 * 2**20
# From 50,000 files to 1,000,000: the peak, and the time for each file (target P10).
PEAK_GROWTH_MAX = 1.2
TIME_GROWTH_MAX = 1.15


class Metric(Enum):
    """What a target is about. Only RATIO is better when larger."""

    RATIO = "ratio"
    TIME = "time"  # of ringcp, as a multiple of the peer's
    CPU = "CPU"  # of ringcp, as a multiple of the peer's
    USER = "user CPU"  # of ringcp outside the kernel, as a multiple of the peer's
    FIRST_PROGRESS = "first progress"  # seconds


@dataclass(frozen=True)
class Target:
    metric: Metric
    bound: float

    def __str__(self) -> str:
        if self.metric is Metric.RATIO:
            return f"≥ {self.bound:g}"
        if self.metric is Metric.FIRST_PROGRESS:
            return f"{self.metric.value} ≤ {self.bound * 1000:g} ms"
        return f"{self.metric.value} ≤ {self.bound:g}×"


@dataclass(frozen=True)
class Verdict:
    """A target beside what was measured, unrounded."""

    target: Target
    value: float

    @property
    def met(self) -> bool:
        if self.target.metric is Metric.RATIO:
            return self.value >= self.target.bound
        return self.value <= self.target.bound

    def __str__(self) -> str:
        if self.met:
            return "met"
        if self.target.metric is Metric.FIRST_PROGRESS:
            return f"MISSED ({self.value * 1000:.1f} ms)"
        return f"MISSED ({self.value:.2f})"


def judge(target: Target, summary: Summary, first_progress_seconds: Optional[float]) -> Verdict:
    """REQUIRES: `first_progress_seconds` where the target is about it."""
    if target.metric is Metric.RATIO:
        return Verdict(target, summary.ratio)
    if target.metric is Metric.TIME:
        return Verdict(target, 1 / summary.ratio)
    if target.metric is Metric.CPU:
        return Verdict(target, summary.cpu_share)
    if target.metric is Metric.USER:
        return Verdict(target, summary.user_share)
    assert first_progress_seconds is not None
    return Verdict(target, first_progress_seconds)
