"""The programs that are compared: command lines, versions, and which can run here.

A command is a tuple of words. `{source}`, `{target}` and `{agent}` stand for the run's
own ones. The word "ringcp" at the front stands for the program under test, and a word
"?--option" is left out if that ringcp does not know the option.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Tuple

from .errors import LeftOut

# The environment of measured programs and of our own tools: none of the user's settings.
ENVIRONMENT: Dict[str, str] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "HOME": "/nonexistent",
}

# Debian packages of the peers that not every system has.
PACKAGES = {"rsync": "rsync", "rclone": "rclone", "tar": "tar"}

_SECONDS_TO_ANSWER = 10


_REPOSITORY = Path(__file__).resolve().parents[2]


class Keeps(Enum):
    """What a program's copy keeps of the source, and is checked for."""

    CONTENTS = 1
    MODES = 2  # and contents
    EVERYTHING = 3  # and owners and times


@dataclass(frozen=True)
class Side:
    """One of the programs of a work."""

    label: str
    command: Tuple[str, ...]
    keeps: Keeps = Keeps.MODES

    @property
    def program(self) -> str:
        """The program that has to be installed."""
        return self.label.split()[0]


def find(program: str) -> str:
    """The path of one of the system's programs. Raises LeftOut if it is not installed."""
    path = shutil.which(program, path=ENVIRONMENT["PATH"])
    if path is None:
        package = PACKAGES.get(program)
        raise LeftOut(f"{program} is not installed" + (f" (package {package})" if package else ""))
    return path


def own(program: str) -> str:
    """The path of one of the bench's own programs. Raises LeftOut where it is not built."""
    variable = program.upper()
    built = _REPOSITORY / "bazel-bin" / "bench" / program
    path = Path(os.environ.get(variable) or built).absolute()
    if not os.access(path, os.X_OK):
        raise LeftOut(f"{path} is missing: `./dev bench` builds it, {variable} names another")
    return str(path)


def version(path: str) -> str:
    """The first line of `PROGRAM --version`, or what went wrong."""
    text = _answer(path, "--version").strip()
    return text.splitlines()[0].strip() if text else "version unknown"


def expand(side: Side, ringcp: Path) -> List[str]:
    """The command with the real programs, but still with the placeholders.

    Raises LeftOut if the program is missing or ringcp lacks an option.
    """
    words: List[str] = []
    own = side.command[0] == "ringcp"
    for word in side.command:
        optional = word.startswith("?")
        word = word.lstrip("?")
        if own and word.startswith("--") and not _knows(ringcp, word.split("=")[0]):
            if optional:
                continue
            raise LeftOut(f"this ringcp has no {word.split('=')[0]}")
        words.append(word)
    if not own:
        find(side.program)  # Also a program that is run by a shell.
    words[0] = str(ringcp) if own else find(words[0])
    return words


def fill(command: List[str], source: Path, target: Path, agent: str = "") -> List[str]:
    """Replaces the placeholders by a run's own paths."""
    values = {"{source}": str(source), "{target}": str(target), "{agent}": agent}
    return [_fill_word(word, values) for word in command]


def _fill_word(word: str, values: Dict[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word


def _knows(ringcp: Path, option: str) -> bool:
    return re.search(rf"{re.escape(option)}\b", _answer(str(ringcp), "--help")) is not None


@lru_cache(maxsize=None)
def _answer(path: str, option: str) -> str:
    try:
        done = subprocess.run(
            [path, option],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS_TO_ANSWER,
            env=ENVIRONMENT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return os.fsdecode(done.stdout)
