"""The table of works. To add a work, add one entry here."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from .data_sets import DATA_SETS
from .places import SLOW
from .programs import Keeps, Side
from .targets import Metric, Target

# Starting a program takes about 2 ms, so a sample is the mean of this many runs.
STARTS_PER_SAMPLE = 200

# A pair of works where each request takes a millisecond takes half a minute, nearly all of it
# in GNU cp, and differs little from the next one.
PAIRS_OF_SLOW_MAX = 3

# A pair of works of a million files takes half a minute, its copies' checks and removal
# most of it: so many pairs, in which the machine's noise is small beside ten seconds.
PAIRS_OF_A_MILLION_MAX = 3

CP = Side("cp -r", ("cp", "-r", "{source}", "{target}"))
CP_ARCHIVE = Side("cp -a", ("cp", "-a", "{source}", "{target}"), Keeps.EVERYTHING)
CP_BYTES = Side("cp --reflink=never", ("cp", "--reflink=never", "{source}", "{target}"))
CP_SPARSE = Side(
    "cp --sparse=auto",
    ("cp", "--sparse=auto", "--reflink=never", "{source}", "{target}"),
)
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
ENGINES = ("uring", "threads")
RINGCP_AGENT = Side(
    "ringcp -r --agent", ("ringcp", "-r", "--agent={agent}", "{source}", "{target}")
)
# Copies a single file, so almost only starting and ending the program remain.
CP_ONE = Side("cp", ("cp", "{source}", "{target}"))
RINGCP_ONE = Side("ringcp", ("ringcp", "{source}", "{target}"))


@dataclass(frozen=True)
class Work:
    """One comparison: this data, on this place, by ringcp and by one program or several."""

    name: str
    number: str  # The target's, "P1" to "P14"; "" where there is none.
    data: str
    place: str
    peer: Side
    ringcp: Side
    targets: Tuple[Target, ...] = ()
    starts: int = 1  # Runs per sample.
    pairs_max: Optional[int] = None  # Where a run is long.
    only_named: str = ""  # Why it is left out unless it is asked for.
    more_peers: Tuple[Side, ...] = ()  # The ratio is to the best of them and `peer`.
    warm_up: bool = True  # False: where a run takes minutes, and finds nothing warm.
    dear_calls: bool = False  # Whether each system call costs more (dear_calls.py).

    @property
    def peers(self) -> Tuple[Side, ...]:
        return (self.peer, *self.more_peers)

    @property
    def through_agent(self) -> bool:
        return any("{agent}" in word for word in self.ringcp.command)


# The target of works that are judged by growth, not by their ratio.
GROWTH_NUMBER = "P10"

_GROWTH_IS_LONG = "all of P10 takes a quarter of an hour: only when named, ./dev bench P10"


def _growth(name: str, data: str, place: str, peer: Side, ringcp: Side) -> Work:
    return Work(
        name,
        GROWTH_NUMBER,
        data,
        place,
        peer,
        ringcp,
        pairs_max=PAIRS_OF_A_MILLION_MAX if "-1m" in name else None,
        only_named=_GROWTH_IS_LONG,
    )


def _ratio(bound: float) -> Tuple[Target, ...]:
    return (Target(Metric.RATIO, bound),)


# Of the ops that io_uring has an opcode for, where calls have to wait.
_SQES = Target(Metric.SQES, 0.9)

_MINUTES = "GNU cp alone takes about four minutes a run: only when named, ./dev bench 'slow-10ms*'"


def _slow(name: str, place: str, peer: Side, ringcp: Side, bound: float) -> Work:
    """A work of small files. Where a request takes 10 ms each program runs once."""
    work = Work(name, "P12", "slow", place, peer, ringcp, (Target(Metric.RATIO, bound), _SQES))
    if place == "slow-1ms":
        return replace(work, pairs_max=PAIRS_OF_SLOW_MAX)
    return replace(work, pairs_max=1, warm_up=False, only_named=_MINUTES)


# The target of works where ringcp as it is has to be as fast as the better one of its engines.
BEST_NUMBER = "P14"
_BEST_IS_LONG = f"all of {BEST_NUMBER} takes half an hour: only when named, ./dev bench best"


def _best(name: str, data: str, place: str, ringcp: Side, dear_calls: bool) -> Work:
    """ringcp as it is beside ringcp with either engine, `name` telling the kind of work."""
    engines = [
        replace(
            ringcp,
            label=f"{ringcp.label} --engine={engine}",
            command=(ringcp.command[0], f"--engine={engine}", *ringcp.command[1:]),
        )
        for engine in ENGINES
    ]
    return Work(
        f"best-{name}-dear" if dear_calls else f"best-{name}",
        BEST_NUMBER,
        data,
        place,
        engines[0],
        ringcp,
        _ratio(0.97),
        pairs_max=PAIRS_OF_SLOW_MAX if place in SLOW else None,
        only_named=_BEST_IS_LONG,
        more_peers=tuple(engines[1:]),
        dear_calls=dear_calls,
    )


_BEST = (
    ("small-ext4", "small", "ext4", RINGCP),
    ("small-ext4-archive", "small", "ext4", RINGCP_ARCHIVE),
    ("flat-ext4", "flat", "ext4", RINGCP),
    ("empty-ext4", "empty", "ext4", RINGCP),
    ("large-ext4", "large", "ext4", RINGCP_BYTES),
    ("small-xfs", "small", "xfs", RINGCP),
    ("slow-1ms", "slow", "slow-1ms", RINGCP),
    ("small-cold", "small", "disk", RINGCP),
)


WORKS: Sequence[Work] = (
    Work("small-ext4", "P1", "small", "ext4", CP, RINGCP, _ratio(2.0)),
    Work("small-ext4-archive", "P1", "small", "ext4", CP_ARCHIVE, RINGCP_ARCHIVE, _ratio(2.0)),
    Work("small-ext4-rsync", "P2", "small", "ext4", RSYNC, RINGCP_ARCHIVE, _ratio(3.0)),
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
    Work("flat-ext4", "P8", "flat", "ext4", CP, RINGCP, _ratio(1.5)),
    Work("empty-ext4", "P8", "empty", "ext4", CP, RINGCP, _ratio(1.4)),
    # One writer at a time: so 1.93 can be had at most. 0.9 of that.
    Work("large-ext4", "P5", "large", "ext4", CP_BYTES, RINGCP_BYTES, _ratio(1.74)),
    Work(
        "one-ext4",
        "P7",
        "one",
        "ext4",
        CP_ONE,
        RINGCP_ONE,
        (Target(Metric.TIME, 1.1),),
        starts=STARTS_PER_SAMPLE,
    ),
    Work("small-xfs", "P9", "small", "xfs", CP_REFLINK, RINGCP, _ratio(1.6)),
    Work("large-xfs", "P5", "large", "xfs", CP_BYTES, RINGCP_BYTES, _ratio(1.8)),
    Work("small-btrfs", "P9", "small", "btrfs", CP_REFLINK, RINGCP, _ratio(1.2)),
    Work("small-tmpfs", "", "small", "tmpfs", CP, RINGCP),
    Work("large-tmpfs", "P5", "large", "tmpfs", CP_BYTES, RINGCP_BYTES, _ratio(1.5)),
    Work(
        "one-tmpfs",
        "P7",
        "one",
        "tmpfs",
        CP_ONE,
        RINGCP_ONE,
        (Target(Metric.TIME, 1.1),),
        starts=STARTS_PER_SAMPLE,
    ),
    _slow("slow-1ms", "slow-1ms", CP, RINGCP, 15),
    _slow("slow-1ms-archive", "slow-1ms", CP_ARCHIVE, RINGCP_ARCHIVE, 12),
    Work(
        "slow-1ms-large",
        "P12",
        "slow-large",
        "slow-1ms",
        CP_ONE,
        RINGCP_ONE,
        _ratio(5),
        pairs_max=PAIRS_OF_SLOW_MAX,
    ),
    _slow("slow-10ms", "slow-10ms", CP, RINGCP, 80),
    _slow("slow-10ms-archive", "slow-10ms", CP_ARCHIVE, RINGCP_ARCHIVE, 60),
    Work("small-cold", "P4", "small", "disk", CP, RINGCP, _ratio(3.0)),
    Work(
        "large-cold",
        "P6",
        "large-cold",
        "disk",
        CP_BYTES,
        RINGCP_BYTES,
        (Target(Metric.RATIO, 1.8), Target(Metric.CPU, 0.3)),
    ),
    Work(
        "large-cold-direct",
        "P6",
        "large-cold",
        "disk",
        CP_BYTES,
        RINGCP_DIRECT,
        (Target(Metric.CPU, 0.05),),
    ),
    *(_best(*kind, dear_calls=False) for kind in _BEST),
    *(_best(*kind, dear_calls=True) for kind in _BEST),
    # What grows between these is in growth.py. Trees lie on the tmpfs, where neither a device
    # nor a journal takes part; extents need a file system that has them.
    _growth("growth-10k", "growth-10k", "tmpfs", CP, RINGCP),
    _growth("growth-50k", "growth-50k", "tmpfs", CP, RINGCP),
    _growth("growth-50k-archive", "growth-50k", "tmpfs", CP_ARCHIVE, RINGCP_ARCHIVE),
    _growth("growth-100k", "growth-100k", "tmpfs", CP, RINGCP),
    _growth("growth-1m", "growth-1m", "tmpfs", CP, RINGCP),
    _growth("growth-1m-archive", "growth-1m", "tmpfs", CP_ARCHIVE, RINGCP_ARCHIVE),
    _growth("growth-flat-50k", "growth-flat-50k", "tmpfs", CP, RINGCP),
    _growth("growth-flat-1m", "growth-flat-1m", "tmpfs", CP, RINGCP),
    _growth("deep-200", "deep-200", "tmpfs", CP, RINGCP),
    _growth("deep-2000", "deep-2000", "tmpfs", CP, RINGCP),
    _growth("extents-10k", "extents-10k", "ext4", CP_SPARSE, RINGCP_BYTES),
    _growth("extents-100k", "extents-100k", "ext4", CP_SPARSE, RINGCP_BYTES),
)

# What a work may lose against an earlier build: of its time, and of what the program itself
# does for an entry. With few entries the latter is too little to be measured.
_BEFORE_TIME = Target(Metric.RATIO, 0.97)
_BEFORE_USER = Target(Metric.USER, 1.10)
_BEFORE_USER_ENTRIES_MIN = 1000


def against_before(works: Sequence[Work]) -> List[Work]:
    """What ringcp does in the works, each once, with an earlier ringcp as the only peer.

    Works through the agent are left out: they compare ringcp with itself already.
    """
    found: Dict[Tuple[str, str, Tuple[str, ...], bool], Work] = {}
    for work in works:
        if work.through_agent:
            continue
        peer = replace(work.ringcp, label=f"{work.ringcp.label} before")
        has_entries = DATA_SETS[work.data].entries >= _BEFORE_USER_ENTRIES_MIN
        targets = (_BEFORE_TIME, _BEFORE_USER) if has_entries else (_BEFORE_TIME,)
        key = (work.data, work.place, work.ringcp.command, work.dear_calls)
        alone = replace(work, peer=peer, more_peers=(), targets=targets)
        found.setdefault(key, alone)
    return list(found.values())


def by_data(works: Sequence[Work]) -> List[Work]:
    """The works, those on the same data behind each other: so no source is kept in vain."""
    order = list(dict.fromkeys(work.data for work in works))
    return sorted(works, key=lambda work: order.index(work.data))


def select(names: Iterable[str], works: Sequence[Work] = WORKS) -> List[Work]:
    """The works that the names mean, in the table's order.

    Without names, all works that do not have to be named.

    A name is first looked up as a work's own, then as a target's number ("P5"), then as a
    pattern ("*-xfs"), then as the first part of names ("large"). Raises ValueError for a
    name that none of these fits.
    """
    chosen: Set[str] = set()
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
    if not names:
        chosen = {work.name for work in works if not work.only_named}
    return [work for work in works if work.name in chosen]
