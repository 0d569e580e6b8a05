"""What the numbers depend on besides the programs: the machine, and the versions."""

import os
import platform
from pathlib import Path
from typing import Dict, Iterable

from . import dear_calls
from .errors import LeftOut
from .programs import find, version
from .works import Work

_BALLOON_REPORTING = 5  # VIRTIO_BALLOON_F_REPORTING


def describe_machine() -> Dict[str, str]:
    """Kernel, CPUs and memory, in words for people."""
    return {
        "kernel": f"{platform.release()} {platform.machine()}",
        "CPUs": f"{len(os.sched_getaffinity(0))} ({_field('/proc/cpuinfo', 'model name')})",
        "system call": dear_calls.describe(),
        "memory": _memory(),
        "io_uring": _io_uring(),
    }


def describe_versions(works: Iterable[Work], ringcp: Path) -> Dict[str, str]:
    """The versions of all installed programs that these works use."""
    versions = {}
    for work in works:
        for side in (*work.peers, work.ringcp):
            try:
                path = str(ringcp) if side.program == "ringcp" else find(side.program)
            except LeftOut:
                continue
            versions[side.program] = version(path)
    return versions


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _memory() -> str:
    words = f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.1f} GiB"
    if _gives_memory_back():
        words += "; free memory is reported to the host"
    return words


def _gives_memory_back() -> bool:
    """Whether a balloon device reports free pages to the host of this virtual machine."""
    for features in Path("/sys/bus/virtio/drivers/virtio_balloon").glob("virtio*/features"):
        bits = features.read_text(encoding="ascii")
        if bits[_BALLOON_REPORTING : _BALLOON_REPORTING + 1] == "1":
            return True
    return False


def _io_uring() -> str:
    """The kernel's own switch; a container's filter may still refuse io_uring."""
    try:
        value = Path("/proc/sys/kernel/io_uring_disabled").read_text(encoding="ascii").strip()
    except OSError:
        return "no switch in this kernel"
    return {"0": "permitted", "1": "for privileged processes", "2": "switched off"}.get(
        value, value
    )
