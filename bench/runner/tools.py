"""Runs the system's own small programs (mount, mkfs, sync, rm, ...), never timed."""

import subprocess

from .programs import ENVIRONMENT, find


class ToolFailed(Exception):
    """A tool ended with an error; the text has its name and its last messages."""


def run(program: str, *arguments: str, merge_errors: bool = False) -> bytes:
    """Runs a tool to its end and returns its output. Raises ToolFailed or LeftOut."""
    done = subprocess.run(
        [find(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge_errors else subprocess.PIPE,
        env=ENVIRONMENT,
        check=False,
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise ToolFailed(f"{program} failed ({done.returncode}): {words[-2000:]}")
    return done.stdout
