"""What the user asked for."""

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

from . import places
from .works import WORKS, Work, against_before, select

_REPOSITORY = Path(__file__).resolve().parents[2]

_DESCRIPTION = """\
Runs ringcp and another program in turn on the same work, and prints how many times
faster ringcp is (ratio of the medians), how much that varies, best times, CPU seconds,
peak memory, and whether the work's target is met. Needs root for most: it mounts loop
images on a tmpfs of its own and drops the page cache for cold works. What can't be
measured on this machine is listed with the reason. Everything is removed at the end, also
after Ctrl-C; what a killed run left is removed by the next.

slow-1ms, slow-10ms: source and target are on a file system in user space on which each
request takes 1 or 10 ms, up to 256 of them beside each other, as on a server far away.
The report also says how many of the ops that io_uring has an opcode for it was given
(SQEs).

best-*: ringcp as it is and ringcp with each of its engines, in turn; the ratio is to the
faster engine. best-*-dear: the same, but a seccomp filter that permits everything makes
each system call take about 1 µs more, because calls are dear on some machines only. The
head of the report says what a call costs here.
"""

_EPILOG = """\
NAME is a work, a target's number (P5), a pattern ('*-xfs') or the first part of names
(large). Environment: RINGCP and RINGCPD name the programs to measure (default:
bazel-bin/cli/ringcp and bazel-bin/agent/ringcpd), SLOW_FILE_SYSTEM and DEAR_CALLS the
bench's own (default: those of bazel-bin/bench). Exit code: 0 measured, targets met or
not; 1 a program failed, a copy was wrong, or nothing could be measured; 2 bad usage.

`./dev bench in-process [ARGS]` measures parts of the engine instead, by Google Benchmark,
which gets ARGS (--help lists them; --benchmark_filter=REGEX chooses).

works (those with a * only when named):
"""


@dataclass(frozen=True)
class Options:
    works: List[Work]
    only_named: List[Tuple[str, str]]  # Works left out unless they are named; why.
    pairs: int
    seed: int
    quick: bool
    keep: bool
    json: Optional[Path]
    file_systems: Tuple[str, ...]
    temporary: Path
    cold_directory: Path
    ringcp: Path
    ringcpd: Path
    before: Optional[Path]  # An earlier ringcp, which every work's peer is then.

    @property
    def peer_ringcp(self) -> Path:
        """What "ringcp" stands for in the peer's commands."""
        return self.before or self.ringcp


def parse(arguments: List[str]) -> Options:
    """Ends the process with a message if the arguments make no sense."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        works = select(given.names)
    except ValueError as error:
        parser.error(str(error))
    binaries = _REPOSITORY / "bazel-bin"
    ringcp = Path(os.environ.get("RINGCP") or binaries / "cli" / "ringcp").absolute()
    ringcpd = Path(os.environ.get("RINGCPD") or binaries / "agent" / "ringcpd").absolute()
    if not os.access(ringcp, os.X_OK):
        parser.error(f"{ringcp} is missing: build it first, or set RINGCP")
    before = given.before.absolute() if given.before else None
    if before:
        works = against_before(works)
        if not os.access(before, os.X_OK):
            parser.error(f"{before} is no program that can be run")
        if not works:
            parser.error("works through the agent can't be compared with an earlier ringcp")
    json = given.json.absolute() if given.json else None
    if json and not os.access(json.parent, os.W_OK):
        parser.error(f"can't write to {json.parent}")
    return Options(
        works=works,
        only_named=[
            (work.name, work.only_named) for work in WORKS if work.only_named and not given.names
        ],
        pairs=given.pairs,
        seed=given.seed,
        quick=given.quick,
        keep=given.keep,
        json=json,
        file_systems=given.fs,
        temporary=Path(tempfile.gettempdir()),
        cold_directory=given.cold_dir.absolute(),
        ringcp=ringcp,
        ringcpd=ringcpd,
        before=before,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=_DESCRIPTION,
        epilog=_EPILOG + "\n".join(_describe(work) for work in WORKS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="what to measure (default: all works without a *)")
    add(
        "--pairs",
        type=_positive,
        default=7,
        metavar="N",
        help="pairs per work (default: 7; where a run is long 3 at most, of slow-10ms 1)",
    )
    add(
        "--before",
        type=Path,
        metavar="PROGRAM",
        help="compare with this earlier build of ringcp, instead of each work's own peer",
    )
    add("--json", type=Path, metavar="FILE", help="write the results there as JSON, too")
    add(
        "--fs",
        type=_file_systems,
        default=places.NAMES,
        metavar="LIST",
        help=f"only these, of {','.join(places.NAMES)}",
    )
    add("--quick", action="store_true", help="a tenth of the data: to try the bench itself")
    add("--seed", type=int, default=1, metavar="N", help="makes the data (default: 1)")
    add(
        "--cold-dir",
        type=Path,
        default=_REPOSITORY / ".cache",
        metavar="DIR",
        help="where cold works lie (default: .cache in the repository, on its disk)",
    )
    add(
        "--keep",
        action="store_true",
        help="leave mounts and data until the next run, and stop at the first failure, to look at",
    )
    return parser


def _describe(work: Work) -> str:
    targets = ", ".join(str(target) for target in work.targets)
    name = work.name + ("*" if work.only_named else "")
    peers = " or ".join(peer.label for peer in work.peers)
    return f"  {name:20} {work.number:4} {work.ringcp.label} / {peers}  {targets}"


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _file_systems(text: str) -> Tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in places.NAMES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {','.join(places.NAMES)}")
    return names
