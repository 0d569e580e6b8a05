"""What a run spends its CPU time on, by perf(1), to explain a missed target.

All CPUs are sampled, so that the profile includes the kernel's threads that work for the
run: ring workers, write-back, loop devices.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Tuple

from . import tools
from .errors import LeftOut
from .programs import find

_SAMPLES_PER_SECOND = 4000
FUNCTIONS_MAX = 8  # The most that are named.
# With fewer samples of all CPUs, shares mean nothing; these are about 50 ms of one CPU.
_SAMPLES_MIN = 200

_IDLE = "swapper"
_KERNEL = "[kernel"
_LINE = re.compile(r"\s*(\d+)\s*\|\s*(.*?)\s*\|\s*(.*?)\s*\|\s*(?:\[.\] )?(.*?)\s*$")


@dataclass(frozen=True)
class CpuProfile:
    """Samples of all CPUs in one run, _SAMPLES_PER_SECOND for each CPU."""

    idle: int
    kernel: int  # Of the busy ones.
    functions: "Counter[str]"  # The busy ones, by the function that ran.

    @property
    def busy(self) -> int:
        return sum(self.functions.values())

    @property
    def busy_seconds(self) -> float:
        return self.busy / _SAMPLES_PER_SECOND

    def seconds(self, function: str) -> float:
        """The CPU time spent in the function itself, not in what it called."""
        return self.functions[function] / _SAMPLES_PER_SECOND

    def largest(self) -> List[Tuple[str, float]]:
        """Functions with their shares of the busy samples, 0 to 1, largest first."""
        return [
            (name, samples / self.busy)
            for name, samples in self.functions.most_common(FUNCTIONS_MAX)
        ]

    def document(self) -> Dict[str, Any]:
        return {
            "idle": self.idle / (self.idle + self.busy),
            "kernel": self.kernel / self.busy,
            "functions": self.largest(),
        }

    def __str__(self) -> str:
        shares = self.document()
        functions = ", ".join(f"{share:.1%} {name}" for name, share in shares["functions"])
        return (
            f"CPUs idle {shares['idle']:.0%} of the time; of the rest {shares['kernel']:.0%} "
            f"in the kernel: {functions}"
        )


def record(command: List[str], data: Path) -> CpuProfile:
    """Runs a command under perf. Raises LeftOut if perf is missing or not permitted."""
    try:
        perf = find("perf")
    except LeftOut:
        raise LeftOut("perf is not installed (package linux-perf)") from None
    try:
        tools.run(
            perf, "record", "-q", "-a", "-F", str(_SAMPLES_PER_SECOND), "-o", str(data),
            "--", *command,
        )  # fmt: skip
        text = tools.run(
            perf, "report", "-i", str(data), "--stdio", "-q", "--no-children", "-g", "none",
            "-F", "sample,comm,dso,sym", "-t", "|",
        )  # fmt: skip
    except tools.ToolFailed as failure:
        raise LeftOut(str(failure).splitlines()[-1]) from None
    finally:
        data.unlink(missing_ok=True)
    return parse(text.decode(errors="replace"))


def parse(text: str) -> CpuProfile:
    """Reads perf's lines `SAMPLES|PROGRAM|OBJECT|[k] FUNCTION`."""
    idle = kernel = 0
    functions: Counter[str] = Counter()
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        samples, program = int(match[1]), match[2]
        if program == _IDLE:
            idle += samples
            continue
        functions[match[4]] += samples
        if match[3].startswith(_KERNEL):
            kernel += samples
    profile = CpuProfile(idle, kernel, functions)
    if profile.busy < _SAMPLES_MIN:
        raise LeftOut(f"perf took only {profile.busy} samples")
    return profile
