"""The table of works. A new work is one entry here."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Iterable, List, Sequence, Tuple

from .programs import Keeps, Side
from .targets import Metric, Target

# Starting a program takes about 2 ms: a sample is the mean of this many.
STARTS_PER_SAMPLE = 200

CP = Side("cp -r", ("cp", "-r", "{source}", "{target}"))
CP_ARCHIVE = Side("cp -a", ("cp", "-a", "{source}", "{target}"), Keeps.EVERYTHING)
CP_BYTES = Side("cp --reflink=never", ("cp", "--reflink=never", "{source}", "{target}"))
CP_REFLINK = Side("cp -r --reflink=auto", ("cp", "-r", "--reflink=auto", "{source}", "{target}"))
RSYNC = Side("rsync -a", ("rsync", "-a", "{source}/", "{target}"), Keeps.EVERYTHING)
TAR = Side(
    "tar | tar",
    (
        "sh",
        "-c",
        'mkdir "$2" && tar -C "$1" -cf - . | tar -C "$2" -xpf -',
        "sh",
        "{source}",
        "{target}",
    ),
)
RCLONE = Side(
    "rclone copy", ("rclone", "copy", "--config=", "{source}", "{target}"), Keeps.CONTENTS
)
RINGCP = Side("ringcp -r", ("ringcp", "-r", "{source}", "{target}"))
RINGCP_ARCHIVE = Side("ringcp -a", ("ringcp", "-a", "{source}", "{target}"), Keeps.EVERYTHING)
RINGCP_BYTES = Side(
    "ringcp --reflink=never", ("ringcp", "?--reflink=never", "{source}", "{target}")
)
RINGCP_DIRECT = Side("ringcp --direct", ("ringcp", "--direct", "{source}", "{target}"))
RINGCP_THREADS = Side(
    "ringcp -r --engine=threads", ("ringcp", "-r", "--engine=threads", "{source}", "{target}")
)
RINGCP_AGENT = Side(
    "ringcp -r --agent", ("ringcp", "-r", "--agent={agent}", "{source}", "{target}")
)
# Copies nothing but its own file: what is left is starting and ending.
CP_ONE = Side("cp", ("cp", "{source}", "{target}"))
RINGCP_ONE = Side("ringcp", ("ringcp", "{source}", "{target}"))


@dataclass(frozen=True)
class Work:
    """One comparison: this data, on this place, by these two programs."""

    name: str
    number: str  # The target's, "P1" to "P11"; "" where there is none.
    data: str
    place: str
    peer: Side
    ringcp: Side
    targets: Tuple[Target, ...] = ()
    starts: int = 1  # Runs per sample.

    @property
    def through_agent(self) -> bool:
        return any("{agent}" in word for word in self.ringcp.command)


def _ratio(bound: float) -> Tuple[Target, ...]:
    return (Target(Metric.RATIO, bound),)


WORKS: Sequence[Work] = (
    Work("small-ext4", "P1", "small", "ext4", CP, RINGCP, _ratio(1.7)),
    Work("small-ext4-archive", "P1", "small", "ext4", CP_ARCHIVE, RINGCP_ARCHIVE, _ratio(1.7)),
    Work("small-ext4-rsync", "P2", "small", "ext4", RSYNC, RINGCP_ARCHIVE, _ratio(3.5)),
    Work("small-ext4-tar", "", "small", "ext4", TAR, RINGCP),
    Work("small-ext4-rclone", "", "small", "ext4", RCLONE, RINGCP),
    Work("small-ext4-threads", "P3", "small", "ext4", RINGCP_THREADS, RINGCP, _ratio(1.0)),
    Work(
        "small-ext4-agent",
        "P11",
        "small",
        "ext4",
        RINGCP,
        RINGCP_AGENT,
        (Target(Metric.TIME, 1.05), Target(Metric.FIRST_PROGRESS, 0.050)),
    ),
    Work("flat-ext4", "P8", "flat", "ext4", CP, RINGCP, _ratio(1.2)),
    Work("empty-ext4", "P8", "empty", "ext4", CP, RINGCP, _ratio(1.2)),
    Work("large-ext4", "P5", "large", "ext4", CP_BYTES, RINGCP_BYTES, _ratio(2.5)),
    Work(
        "one-ext4",
        "P7",
        "one",
        "ext4",
        CP_ONE,
        RINGCP_ONE,
        (Target(Metric.TIME, 1.5),),
        starts=STARTS_PER_SAMPLE,
    ),
    Work("small-xfs", "P9", "small", "xfs", CP_REFLINK, RINGCP, _ratio(1.3)),
    Work("large-xfs", "P5", "large", "xfs", CP_BYTES, RINGCP_BYTES, _ratio(1.15)),
    Work("small-btrfs", "P9", "small", "btrfs", CP_REFLINK, RINGCP, _ratio(1.3)),
    Work("small-tmpfs", "", "small", "tmpfs", CP, RINGCP),
    Work("large-tmpfs", "P5", "large", "tmpfs", CP_BYTES, RINGCP_BYTES, _ratio(1.0)),
    Work(
        "one-tmpfs",
        "P7",
        "one",
        "tmpfs",
        CP_ONE,
        RINGCP_ONE,
        (Target(Metric.TIME, 1.5),),
        starts=STARTS_PER_SAMPLE,
    ),
    Work("small-cold", "P4", "small", "disk", CP, RINGCP, _ratio(2.5)),
    Work(
        "large-cold",
        "P6",
        "large-cold",
        "disk",
        CP_BYTES,
        RINGCP_BYTES,
        (Target(Metric.RATIO, 1.1), Target(Metric.CPU, 0.5)),
    ),
    Work(
        "large-cold-direct",
        "P6",
        "large-cold",
        "disk",
        CP_BYTES,
        RINGCP_DIRECT,
        (Target(Metric.CPU, 0.1),),
    ),
)


def select(names: Iterable[str], works: Sequence[Work] = WORKS) -> List[Work]:
    """The works that the names mean, in the table's order; all of them for no names.

    A name is a work's own; else a target's number ("P5"); else a pattern ("*-xfs");
    else the first part of names ("large"). Raises ValueError for a name that means none.
    """
    chosen = set()
    names = list(names)
    for name in names:
        found = (
            [work for work in works if work.name == name]
            or [work for work in works if work.number.lower() == name.lower()]
            or [work for work in works if fnmatchcase(work.name, name)]
            or [work for work in works if work.name.startswith(f"{name}-")]
        )
        if not found:
            raise ValueError(f"no work is called {name!r}")
        chosen.update(work.name for work in found)
    return [work for work in works if not names or work.name in chosen]
