"""The file systems that works run on. A place keeps its sources for all of its works.

Warm places are the size of one loop image each: an ext4, XFS or btrfs in an image on a
tmpfs of our own, or a tmpfs itself. A real disk's write-back would drown what is to be
seen. Cold works need the real disk: there every run starts with nothing in the cache. Slow
places are a file system in user space on which each request takes a while.
"""

import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, Optional, Sequence, Tuple

from . import slow_server, tools
from .data_sets import DataSet
from .errors import BenchFailed, LeftOut
from .processes import in_child
from .session import Session, unmount
from .slow_server import SlowServer

IMAGE_BYTES = 5 * 2**30

# A file system keeps the rest for itself: journal, inode tables, room to work well.
_USABLE_PART = 0.9
_DISK_SPARE_BYTES = 2**30

# From this number on it matters that ext4 does not reuse freed inodes (Place.discard()).
_INODES_MANY = 1000

# `lazy_…=0`: nothing is left that would be written in the background during a
# measurement.
_MAKE: Dict[str, Tuple[str, ...]] = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"),
    "xfs": ("mkfs.xfs", "-q", "-f"),
    "btrfs": ("mkfs.btrfs", "-q", "-f"),
}
_MAKE_VERSION = {"ext4": "-V", "xfs": "-V", "btrfs": "--version"}
_MAKE_PACKAGE = {"ext4": "e2fsprogs", "xfs": "xfsprogs", "btrfs": "btrfs-progs"}

SHARED_MEMORY = Path("/dev/shm")

DISK = "disk"
# What each request takes there, in milliseconds.
SLOW: Dict[str, int] = {"slow-1ms": 1, "slow-10ms": 10}
NAMES: Tuple[str, ...] = (*_MAKE, "tmpfs", *SLOW, DISK)


@dataclass(frozen=True)
class Place:
    """A mounted, empty file system for sources and targets."""

    name: str
    directory: Path
    description: str
    # Where the bench itself reaches what is in `directory`, if programs have to wait there.
    below: Optional[Path] = None

    @property
    def cold(self) -> bool:
        return self.name == DISK

    @property
    def target(self) -> Path:
        return self.directory / "target"

    def behind(self, path: Path) -> Path:
        """The same file as the bench itself reaches it, without waiting."""
        return path if self.below is None else self.below / path.relative_to(self.directory)

    def source(self, data_set: DataSet, seed: int) -> Path:
        """The source of the data set, which is made when it is first asked for."""
        path = self.directory / data_set.name
        made = self.behind(path)
        if not made.exists():
            self._require_inodes(2 * data_set.inodes())
            error = in_child(lambda: data_set.make(seed, made))
            if error:
                raise BenchFailed(f"making {data_set.name} on {self.name}: {error}")
        return path

    def _require_inodes(self, needed: int) -> None:
        status = os.statvfs(self.directory)
        # f_files is 0 if the file system has no limit or reports none.
        if status.f_files and status.f_favail < needed:
            raise LeftOut(f"{needed} inodes needed, {status.f_favail} free on {self.name}")

    def settle(self) -> None:
        """Between runs, off the clock: nothing is left to write; if cold, nothing cached."""
        if self.below is not None:
            time.sleep(slow_server.SECONDS_KNOWN)  # It keeps nothing but names, for a second.
            return
        if not self.cold:
            tools.run("sync", "--file-system", str(self.directory))
            return
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("3\n")

    def remove(self, path: Path) -> None:
        tools.run("rm", "-rf", "--one-file-system", str(self.behind(path)))

    def discard(self, target: Path, data_set: DataSet) -> None:
        """Removes a run's target, so that the next run starts like this one.

        On a disk a tree is only put aside until the work ends. ext4 without a journal
        does not reuse an inode within minutes after it was freed, and checks each such
        inode for every file that it makes (recently_deleted() in fs/ext4/ialloc.c), which
        would take more time than all the rest (BENCHMARKS.md).
        """
        if not self.cold or data_set.inodes() < _INODES_MANY:
            self.remove(target)
            return
        self._aside.mkdir(exist_ok=True)
        target.rename(self._aside / str(time.monotonic_ns()))

    def clear(self) -> None:
        """Called at the end of a work."""
        self.remove(self._aside)

    @property
    def _aside(self) -> Path:
        return self.directory / "aside"


def bytes_needed(data_sets: Sequence[DataSet], targets: int = 1) -> int:
    """The most bytes that works on these data sets, in turn, take at the same time.

    A source is there from the first work on it to the last, a target during each work. Of
    a data set with many files there are up to `targets` targets (see Place.discard()).
    """
    most = 0
    for index, data_set in enumerate(data_sets):
        sources = set(data_sets[: index + 1]) & set(data_sets[index:])
        kept = targets if data_set.inodes() >= _INODES_MANY else 1
        taken = sum(source.disk_bytes() for source in sources) + kept * data_set.disk_bytes()
        most = max(most, taken)
    return most


@contextmanager
def open_place(
    name: str, session: Session, disk: Path, data_sets: Sequence[DataSet], runs: int
) -> Iterator[Place]:
    """Makes the place for works on these data sets, in turn; removes it at the end.

    `disk` is where cold works may lie, each work making `runs` targets. Raises LeftOut where
    this machine can't have it.
    """
    needed = bytes_needed(data_sets, runs if name == DISK else 1)
    if name == DISK:
        opened = _open_disk(session, disk, needed)
    elif needed > IMAGE_BYTES * _USABLE_PART:
        raise LeftOut(f"{_gib(needed)} of data do not fit into {_gib(IMAGE_BYTES)}")
    elif name == "tmpfs":
        opened = _open_tmpfs(session, needed)
    elif name in SLOW:
        opened = _open_slow(name, session, needed)
    else:
        opened = _open_image(name, session, needed)
    with opened as place:
        yield place


@contextmanager
def _open_image(kind: str, session: Session, needed: int) -> Iterator[Place]:
    if not session.may_mount:
        raise LeftOut(session.why_not_mount)
    if not Path("/dev/loop-control").exists():
        raise LeftOut("no loop device (/dev/loop-control)")
    try:
        version = _version_of_mkfs(kind)
    except LeftOut as error:
        raise LeftOut(f"{error} (package {_MAKE_PACKAGE[kind]})") from error
    # The image is memory that can't be reclaimed and, because the place is warm, its
    # files are in the page cache as well.
    _require_memory(2 * needed)
    size = IMAGE_BYTES + 2**26
    images = session.mount(f"image-{kind}", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs")
    try:
        image = images / "image"
        with open(image, "xb") as file:
            file.truncate(IMAGE_BYTES)
        tools.run(*_MAKE[kind], str(image))
        point = session.mount(kind, "-t", kind, "-o", "loop", str(image))
        try:
            text = f"{version}; loop image of {_gib(IMAGE_BYTES)} on tmpfs; warm; {_options(point)}"
            yield Place(kind, point, text)
        finally:
            if not session.keep:
                unmount(point)
    except tools.ToolFailed as error:
        raise BenchFailed(f"{kind}: {error}") from error
    finally:
        if not session.keep:
            unmount(images)


@contextmanager
def _open_tmpfs(session: Session, needed: int) -> Iterator[Place]:
    """A mount of our own with a limit; if that is not permitted, the system's tmpfs."""
    _require_memory(needed)
    if not session.may_mount and os.access(SHARED_MEMORY, os.W_OK):
        directory = session.directory_in(SHARED_MEMORY)
        yield Place("tmpfs", directory, f"{SHARED_MEMORY}, as {session.why_not_mount}")
        return
    # nr_inodes=0, because the kernel's default limit depends on the machine's memory.
    limits = f"size={IMAGE_BYTES},nr_inodes=0,mode=755"
    point = session.mount("tmpfs", "-t", "tmpfs", "-o", limits, "tmpfs")
    try:
        yield Place("tmpfs", point, f"of {_gib(IMAGE_BYTES)}; {_options(point)}")
    finally:
        if not session.keep:
            unmount(point)


@contextmanager
def _open_slow(name: str, session: Session, needed: int) -> Iterator[Place]:
    """What it passes everything through to is a tmpfs, so that nothing else takes time.

    With `keep` only that tmpfs stays: the server ends with the bench.
    """
    _require_memory(needed + slow_server.BUFFER_BYTES)
    limits = f"size={IMAGE_BYTES},mode=755"
    below = session.mount(f"below-{name}", "-t", "tmpfs", "-o", limits, "tmpfs")
    try:
        point = session.directory / name
        point.mkdir()
        milliseconds = SLOW[name]
        with SlowServer(below, point, milliseconds):
            text = (
                f"in user space (FUSE), over tmpfs; each request but release takes {milliseconds} "
                f"ms, up to 256 beside each other; names and attributes are known for 1 s"
            )
            yield Place(name, point, text, below)
    finally:
        if not session.keep:
            unmount(below)


@contextmanager
def _open_disk(session: Session, disk: Path, needed: int) -> Iterator[Place]:
    if not os.access("/proc/sys/vm/drop_caches", os.W_OK):
        raise LeftOut("the cache can't be dropped (not root)")
    directory = session.directory_in(disk)
    kind = tools.run("findmnt", "-n", "-o", "FSTYPE", "-T", str(directory)).decode().strip()
    if kind in ("tmpfs", "ramfs", "overlay"):
        raise LeftOut(f"{disk} is on {kind}, not on a disk; see --cold-dir")
    free = shutil.disk_usage(directory).free
    if free < needed + _DISK_SPARE_BYTES:
        raise LeftOut(f"{_gib(needed + _DISK_SPARE_BYTES)} of disk needed, {_gib(free)} free")
    yield Place(DISK, directory, f"{kind}; cold (sync, drop_caches before each run)")


def _version_of_mkfs(kind: str) -> str:
    program = _MAKE[kind][0]
    words = tools.run(program, _MAKE_VERSION[kind], merge_errors=True).decode().split("\n")
    return words[0].strip()


def _options(point: Path) -> str:
    return tools.run("findmnt", "-n", "-o", "OPTIONS", str(point)).decode().strip()


def _require_memory(needed: int) -> None:
    with open("/proc/meminfo", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    available = int(fields["MemAvailable"].split()[0]) * 1024
    if available < needed:
        raise LeftOut(f"{_gib(needed)} of memory needed, {_gib(available)} available")


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
