"""What a system call costs here, and commands for which it costs more.

Between machines it differs by a factor of ten, and turns verdicts around. So some works let
the programs' calls pass a filter (bench/dear_calls.cc), which any machine can do.
"""

from functools import lru_cache
from typing import List

from . import tools
from .errors import LeftOut
from .programs import own

# What the filter adds to each call.
NANOSECONDS = 1000


def wrap(command: List[str]) -> List[str]:
    """The command with dear calls. Raises LeftOut where filters are refused."""
    return [own("dear_calls"), "run", _instructions(), *command]


def describe() -> str:
    """What a call costs, and what a dear one does; in words for people."""
    try:
        words = f"{_ask('cost')} ns (getppid)"
    except LeftOut as reason:
        return f"unknown: {reason}"
    try:
        dear = tools.run(*wrap([own("dear_calls"), "cost"])).decode().strip()
    except (LeftOut, tools.ToolFailed) as reason:
        return f"{words}; can't be made dear: {reason}"
    return f"{words}; in works with dear calls {dear} ns"


@lru_cache(maxsize=None)
def _instructions() -> str:
    """How long the filter is. Asked once, so that all runs have the same."""
    return _ask("fit", str(NANOSECONDS))


def _ask(*question: str) -> str:
    try:
        return tools.run(own("dear_calls"), *question).decode().strip()
    except tools.ToolFailed as failure:
        raise LeftOut(str(failure)) from None
