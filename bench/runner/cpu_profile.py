"""What a run spends its CPU time on, by perf(1): the reason for a target that is missed.

All CPUs are sampled, so that the kernel's threads that work for the run are in it: ring
workers, write-back, loop devices.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import List, Tuple

from . import tools
from .errors import LeftOut
from .programs import find

_SAMPLES_PER_SECOND = 4000
_FUNCTIONS_MAX = 8
# Samples of all CPUs below which shares say nothing: some 50 ms of one.
_SAMPLES_MIN = 200

_IDLE = "swapper"
_KERNEL = "[kernel"
_LINE = re.compile(r"\s*(\d+)\s*\|\s*(.*?)\s*\|\s*(.*?)\s*\|\s*(?:\[.\] )?(.*?)\s*$")


@dataclass(frozen=True)
class CpuProfile:
    """Shares of the samples, 0 to 1; those of `kernel` and `functions` of the busy ones."""

    idle: float
    kernel: float
    functions: List[Tuple[str, float]]  # The largest ones, largest first.

    def __str__(self) -> str:
        functions = ", ".join(f"{share:.1%} {name}" for name, share in self.functions)
        return (
            f"CPUs idle {self.idle:.0%} of the time; of the rest {self.kernel:.0%} in the "
            f"kernel: {functions}"
        )


def record(command: List[str], data: Path) -> CpuProfile:
    """Runs a command under perf. Raises LeftOut where there is no perf, or it may not run."""
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
    """Takes perf's lines `SAMPLES|PROGRAM|OBJECT|[k] FUNCTION`."""
    idle = kernel = total = 0
    functions: Counter[str] = Counter()
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        samples, program = int(match[1]), match[2]
        total += samples
        if program == _IDLE:
            idle += samples
            continue
        functions[match[4]] += samples
        if match[3].startswith(_KERNEL):
            kernel += samples
    busy = total - idle
    if busy < _SAMPLES_MIN:
        raise LeftOut(f"perf took only {busy} samples")
    return CpuProfile(
        idle=idle / total,
        kernel=kernel / busy,
        functions=[
            (name, samples / busy) for name, samples in functions.most_common(_FUNCTIONS_MAX)
        ],
    )
