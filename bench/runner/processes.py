"""One timed run of one program; and functions that run outside the bench's own memory.

The clock is CLOCK_MONOTONIC around posix_spawn and wait4, so it measures the whole
process. CPU seconds are wait4's user and system time of the process, of its threads
(including io_uring's) and of its children. The kernel's own threads (write-back, loop
devices) belong to no process and are not counted.

The peak is wait4's `ru_maxrss`. The kernel never reports less there than the bench itself
had in use when it started the program, so a value near that floor says nothing and
becomes 0. A watched run therefore asks the kernel for the peak often while it lasts. That
disturbs the clock, so only warm-up runs are watched.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Callable, List, Optional, Tuple

from .errors import BenchFailed
from .pairs import Sample
from .programs import ENVIRONMENT

# The longest real run is GNU cp's where each request takes 10 ms: about five minutes.
_SECONDS_MAX = 900

# A watched run is looked at without pauses at first, because some last only 2 ms.
_WATCH_CLOSELY_SECONDS = 0.010
_WATCH_INTERVAL_SECONDS = 0.001


@dataclass(frozen=True)
class _Ended:
    seconds: float
    status: int
    usage: "os.struct_rusage"  # type: ignore[name-defined]


def run(command: List[str], messages: Path, watched: bool = False) -> Sample:
    """Runs a program to its end; raises BenchFailed unless it ends with 0.

    Its output goes to /dev/null, its error messages to the file `messages`.
    """
    # A margin, because the kernel's counters are inexact by some pages per CPU.
    floor = peak_bytes(os.getpid()) * 9 // 8
    watched_peak = 0
    previous = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(_SECONDS_MAX)
    started = time.monotonic()
    pid = _spawn(command, messages)
    try:
        if watched:
            watched_peak = _watch(pid)
        _, status, usage = os.wait4(pid, 0)
        seconds = time.monotonic() - started
    except BaseException:
        _kill_group(pid)
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    if status != 0:
        raise BenchFailed(_describe(command, status, messages))
    exact = usage.ru_maxrss * 1024
    return Sample(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_bytes=exact if exact > floor else watched_peak,
        user_seconds=usage.ru_utime,
    )


def in_child(function: Callable[[], None]) -> str:
    """Calls the function in a forked process, so that the bench's own memory stays small.

    Returns the text of the exception that the function raised; "" if it raised none.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_child(function, writing)
    os.close(writing)
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # The child was faster and has done it, or has ended.
    try:
        with open(reading, "rb") as pipe:
            text = pipe.read().decode(errors="replace")
        _, status = os.waitpid(pid, 0)
    except BaseException:
        _kill_group(pid)
        raise
    if status != 0 and not text:
        return f"ended with status {os.waitstatus_to_exitcode(status)}"
    return text


def peak_bytes(pid: int) -> int:
    """The largest resident size of a process so far; 0 once the process is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def cpu_seconds(pid: int) -> float:
    """User and system time of a running process so far."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _spawn(command: List[str], messages: Path) -> int:
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions: List[Tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, str(messages), write, 0o600),
    ]
    return os.posix_spawn(
        command[0],
        command,
        ENVIRONMENT,
        file_actions=actions,
        setpgroup=0,  # Ctrl-C must reach only the bench; a pipeline is killed as a group.
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores these.
    )


def _watch(pid: int) -> int:
    """Watches until the process has ended; returns the highest peak in its group."""
    highest = 0
    close_until = time.monotonic() + _WATCH_CLOSELY_SECONDS
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, pid, options) is None:
        highest = max(highest, peak_bytes(pid))
        if time.monotonic() > close_until:
            highest = max([highest, *map(peak_bytes, _others_in_group(pid))])
            time.sleep(_WATCH_INTERVAL_SECONDS)
    return highest


def _others_in_group(group: int) -> List[int]:
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and int(name) != group and os.getpgid(int(name)) == group:
                found.append(int(name))
        except OSError:
            pass  # Ended meanwhile.
    return found


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except OSError:
        pass  # It has already ended.


def _too_long(number: int, frame: Optional[FrameType]) -> None:
    raise BenchFailed(f"a program did not end within {_SECONDS_MAX} s")


def _describe(command: List[str], status: int, messages: Path) -> str:
    last_words = messages.read_bytes()[-1000:].decode(errors="replace").strip()
    code = os.waitstatus_to_exitcode(status)
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    return f"{' '.join(command)} ended with {how}: {last_words or 'no message'}"


def _be_child(function: Callable[[], None], writing: int) -> None:
    """Never returns."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        function()
        code = 0
    except Exception as error:  # pylint: disable=broad-except
        os.write(writing, f"{error or type(error).__name__}".encode()[:4096])
    finally:
        os._exit(code)
