"""The process of a slow file system (bench/slow_file_system.cc says what it is)."""

import select
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Optional, Type

from .errors import LeftOut
from .programs import ENVIRONMENT, own
from .session import unmount

# For so long the kernel may know names and attributes there, and a little more.
SECONDS_KNOWN = 1.1
# What its threads' buffers take at most: each has room for one request.
BUFFER_BYTES = 256 * (2**20 + 4096)

_SECONDS_TO_START = 10.0
_SECONDS_TO_STOP = 10.0


class SlowServer:
    """Mounts `below` at `point`, each request taking so long. Leaving it unmounts."""

    def __init__(self, below: Path, point: Path, milliseconds: int) -> None:
        self._point = point
        self._is_mounted = False
        # Should the bench be killed, the kernel ends the server too: it sees to that itself.
        self._process = subprocess.Popen(
            [own("slow_file_system"), str(below), str(point), str(milliseconds)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            process_group=0,  # A Ctrl-C is the bench's, which unmounts.
        )

    def __enter__(self) -> "SlowServer":
        try:
            words = self._first_words()
            self._is_mounted = words == "mounted"
            if not self._is_mounted:
                self._process.kill()
                raise LeftOut(f"the slow file system can't be mounted: {words or 'no message'}")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._stop()

    def _first_words(self) -> str:
        """The first line that it prints, if that comes soon."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _SECONDS_TO_START)
        return self._process.stdout.readline().decode(errors="replace").strip() if ready else ""

    def _stop(self) -> None:
        """Unmounted, it ends by itself."""
        if self._is_mounted:
            unmount(self._point)
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
