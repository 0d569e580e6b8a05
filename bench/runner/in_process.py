"""`./dev bench in-process`: the engine's parts, measured by Google Benchmark.

The benchmarks that copy or walk use a tmpfs of the session, so that no disk takes part
and nothing is left when they are interrupted.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

from .data_sets import DataSet, Shape
from .errors import BenchFailed, Interrupted, LeftOut
from .places import SHARED_MEMORY, open_place
from .programs import ENVIRONMENT
from .session import Session

COMMAND = "in-process"

_REPOSITORY = Path(__file__).resolve().parents[2]

# The benchmarks make far less.
_ROOM = DataSet("room", Shape.FILES, entries=20_000)


def main(arguments: List[str]) -> int:
    """Passes the arguments on; returns the program's exit code."""
    program = Path(
        os.environ.get("ENGINE_BENCHMARK")
        or _REPOSITORY / "bazel-bin" / "bench" / "engine_benchmark"
    ).absolute()
    if not os.access(program, os.X_OK):
        print(f"bench: {program} is missing: `./dev bench {COMMAND}` builds it", file=sys.stderr)
        return 2
    directory = Path.cwd()  # The directory in which the user wants --benchmark_out.
    temporary = Path(tempfile.gettempdir())
    try:
        with Session(temporary, keep=False, others=(SHARED_MEMORY,)) as session:
            with open_place("tmpfs", session, temporary, [_ROOM], runs=1) as place:
                return subprocess.run(
                    [str(program), *arguments],
                    cwd=directory,
                    env={**ENVIRONMENT, "TMPDIR": str(place.directory)},
                    check=False,
                ).returncode
    except Interrupted as interrupted:
        return 128 + interrupted.signal_number
    except (BenchFailed, LeftOut) as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
