"""What a run of the bench leaves outside its own process, and its removal.

Everything lies in directories called `ringcp-bench-PID-STARTTIME`: one in the temporary
directory for mount points, others where works lie. The mounts are private to the bench's
own mount namespace, so the kernel removes them, with their loop devices, even after a
SIGKILL. The next run finds what is left then by its name, and removes it. Programs that
the bench starts carry the same name in their environment.
"""

import ctypes
import os
import re
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Iterator, List, Optional, Sequence, Type

from . import tools
from .errors import Interrupted, LeftOut
from .programs import ENVIRONMENT

_NAME = re.compile(r"ringcp-bench-(\d+)-(\d+)")
_VARIABLE = "RINGCP_BENCH_SESSION"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# <linux/sched.h>, <linux/mount.h>
_CLONE_NEWNS = 0x00020000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000

# The kernel takes a ring down only some time after its process has ended.
_UNMOUNT_SECONDS_MAX = 5.0


class Session:
    """The directories of this run. A context manager: leaving it removes everything.

    With `keep`, everything stays, mounted where all can see it, until the next run.
    """

    def __init__(self, temporary: Path, keep: bool, others: Sequence[Path] = ()) -> None:
        """Dead sessions may have left something in `temporary` and in `others`."""
        self._name = f"ringcp-bench-{os.getpid()}-{_start_time(os.getpid())}"
        self.directories: List[Path] = []
        self._made_parents: List[Path] = []
        self._temporary = temporary
        self._others = others
        self.directory = temporary / self._name
        self.keep = keep
        self.may_mount = False
        self.why_not_mount = ""

    def __enter__(self) -> "Session":
        for number in _SIGNALS:
            signal.signal(number, _interrupt)
        try:
            os.umask(0o022)  # With it, cp -r keeps the modes of the sources.
            ENVIRONMENT[_VARIABLE] = self._name
            for parent in self._others:
                if parent.is_dir():
                    _remove_stale(parent)
            self.directory_in(self._temporary)
            os.chdir(self.directory)
            self._allow_mounts()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # Must not interrupt the removal.
        os.chdir("/")
        _kill_processes_of(self._name)
        if not self.keep:
            for directory in reversed(self.directories):
                _remove(directory)
            for parent in self._made_parents:
                with suppress(OSError):  # Another session uses it by now.
                    parent.rmdir()

    def directory_in(self, parent: Path) -> Path:
        """A directory of this session in `parent`, which is made if it is missing.

        First removes what dead sessions have left in `parent`.
        """
        if not parent.exists():
            parent.mkdir()
            self._made_parents.append(parent)
        _remove_stale(parent)
        directory = parent / self._name
        if not directory.exists():
            directory.mkdir(mode=0o755)
            self.directories.append(directory)
        return directory

    def _allow_mounts(self) -> None:
        if os.geteuid() != 0:
            self.why_not_mount = "not root"
            return
        if not self.keep:
            libc = ctypes.CDLL(None, use_errno=True)
            if (
                libc.unshare(_CLONE_NEWNS) != 0
                or libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0
            ):
                reason = os.strerror(ctypes.get_errno())
                self.why_not_mount = f"not permitted to mount ({reason})"
                return
        self.may_mount = True

    def mount(self, name: str, *arguments: str) -> Path:
        """Mounts at the session's directory `name`. Raises LeftOut if that is refused."""
        if not self.may_mount:
            raise LeftOut(self.why_not_mount)
        point = self.directory / name
        point.mkdir()
        try:
            tools.run("mount", *arguments, str(point))
        except tools.ToolFailed as error:
            raise LeftOut(str(error)) from error
        return point


def unmount(point: Path) -> None:
    """Unmounts; lazily if something still holds the mount after some seconds."""
    give_up = time.monotonic() + _UNMOUNT_SECONDS_MAX
    while True:
        try:
            tools.run("umount", str(point))
            return
        except tools.ToolFailed:
            if time.monotonic() > give_up:
                tools.run("umount", "--lazy", str(point))
                return
        time.sleep(0.05)


def _interrupt(number: int, frame: Optional[FrameType]) -> None:
    """The first signal ends the run; further ones must not interrupt the clean-up."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


def _start_time(pid: int) -> str:
    """The start time, which tells a process from a later one with the same id."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()[19].decode()


def _remove_stale(parent: Path) -> None:
    """Removes what dead runs have left in `parent`."""
    for path in parent.iterdir():
        name = _NAME.fullmatch(path.name)
        if name is None:
            continue
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            continue
        try:
            alive = _start_time(int(name[1])) == name[2]
        except OSError:
            alive = False
        if not alive:
            _kill_processes_of(path.name)
            _remove(path)


def _kill_processes_of(session_name: str) -> None:
    """Ends all processes that a session has started and that still run."""
    variable = f"{_VARIABLE}={session_name}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if variable in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            pass  # The process has ended, or is not ours.


def _remove(directory: Path) -> None:
    """Removes a directory with everything that is mounted in it."""
    for point in reversed(list(_mounts_in(directory))):
        unmount(point)
    for device in _loop_devices_on(directory):
        tools.run("losetup", "--detach", device)
    if not any(True for _ in _mounts_in(directory)):
        tools.run("rm", "-rf", "--one-file-system", str(directory))


def _mounts_in(directory: Path) -> Iterator[Path]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            point = Path(line.split()[4].replace("\\040", " "))
            if directory in point.parents:
                yield point


def _loop_devices_on(directory: Path) -> List[str]:
    """The devices that a killed mount left attached to an image in the directory."""
    devices = []
    for backing_file in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            text = backing_file.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue  # Detached meanwhile.
        if text.startswith(f"{directory}/"):
            devices.append(f"/dev/{backing_file.parent.parent.name}")
    return devices
