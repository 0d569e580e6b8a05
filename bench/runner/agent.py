"""ringcpd for the works that go through it, on a socket of the session."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, List, Optional, Type

from . import processes
from .errors import BenchFailed, LeftOut
from .programs import ENVIRONMENT, find

_SECONDS_TO_START = 10.0
_SECONDS_TO_STOP = 10.0
_SECONDS_TO_COPY = 900.0


class Agent:
    """A running ringcpd. A context manager: leaving it ends the process."""

    def __init__(self, program: Path, directory: Path) -> None:
        if not os.access(program, os.X_OK):
            raise LeftOut(f"no agent to start ({program} is missing; RINGCPD names another)")
        self._socket = directory / "agent.sock"
        self._messages = directory / "agent.messages"
        # If the bench is killed, the kernel ends the agent, too.
        with open(self._messages, "wb") as messages:
            self._process = subprocess.Popen(
                [find("setpriv"), "--pdeathsig", "KILL", str(program), "--listen", self.address],
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=messages,
                env=ENVIRONMENT,
                process_group=0,
            )

    @property
    def address(self) -> str:
        return f"unix:{self._socket}"

    def __enter__(self) -> "Agent":
        try:
            self._wait_until_ready()
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

    def cpu_seconds(self) -> float:
        return processes.cpu_seconds(self._process.pid)

    def peak_bytes(self) -> int:
        return processes.peak_bytes(self._process.pid)

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < give_up and self._process.poll() is None:
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    client.connect(str(self._socket))
                    return
                except OSError:
                    time.sleep(0.02)
        last_words = self._messages.read_bytes()[-1000:].decode(errors="replace")
        raise BenchFailed(f"the agent did not start: {last_words.strip() or 'no message'}")

    def _stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def seconds_to_first_progress(command: List[str]) -> float:
    """Runs a copy with `--progress=json` and times its first line of progress.

    The time runs from the start of the client, so it includes the client's start-up.
    Raises BenchFailed if the copy fails or no such line comes.
    """
    started = time.monotonic()
    with subprocess.Popen(
        [command[0], "--progress=json", *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        process_group=0,
    ) as client:
        assert client.stderr is not None
        try:
            seconds = _first_progress(client.stderr, started)
            client.stderr.read()
            status = client.wait(_SECONDS_TO_COPY)
        except BaseException:
            client.kill()
            raise
    if status != 0 or seconds is None:
        raise BenchFailed(f"{' '.join(command)}: exit code {status}, first progress: {seconds}")
    return seconds


def _first_progress(lines: IO[bytes], started: float) -> Optional[float]:
    for line in lines:
        seconds = time.monotonic() - started
        try:
            if isinstance(json.loads(line), dict):
                return seconds
        except ValueError:
            pass  # A message for people.
    return None
