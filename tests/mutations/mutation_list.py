"""The list of mutations (mutations.toml), and what must hold of it."""

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import List

HERE = Path(__file__).parent
LIST = HERE / "mutations.toml"

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TARGET = re.compile(r"//(tests/[a-z0-9_]+):([a-z0-9_]+)")
# A test with parameters has more around its name.
_FILTER = re.compile(r"\*?(\w+)\.(\w+)(\*|/\w+)?")


@dataclass(frozen=True)
class Mutation:
    """A fault that is brought back into one file, and the test that must find it."""

    name: str  # Says the fault.
    file: str  # Where it is, from the repository's root.
    there: str  # What the file has exactly once,
    fault: str  # and what takes its place.
    test: str  # Bazel's label of the test,
    filter: str  # and its case, as --gtest_filter has it.


class Faulty(Exception):
    """The list, or what it says of a file, is wrong. The text says how."""


def load(path: Path = LIST) -> List[Mutation]:
    """Returns all of them in the list's order."""
    with path.open("rb") as file:
        entries = tomllib.load(file)["mutation"]
    wanted = {field.name for field in fields(Mutation)}
    for entry in entries:
        if set(entry) != wanted:
            known = entry.get("name", entry)
            raise Faulty(f"{known}: has {sorted(entry)} instead of {sorted(wanted)}")
    return [Mutation(**entry) for entry in entries]


def select(mutations: List[Mutation], texts: List[str]) -> List[Mutation]:
    """Returns those whose name, file or test has one of `texts` in it; all without any."""
    for text in texts:
        if not any(_is_meant(mutation, text) for mutation in mutations):
            raise Faulty(f"no mutation has '{text}' in its name, file or test")
    return [
        mutation
        for mutation in mutations
        if not texts or any(_is_meant(mutation, text) for text in texts)
    ]


def _is_meant(mutation: Mutation, text: str) -> bool:
    return any(text in where for where in (mutation.name, mutation.file, mutation.test))


def mutate(mutation: Mutation, root: Path) -> str:
    """Returns the mutation's file below `root` with the fault in it; changes nothing."""
    try:
        text = (root / mutation.file).read_text(encoding="utf-8")
    except OSError as error:
        raise Faulty(f"cannot read {mutation.file}: {error.strerror}") from error
    count = text.count(mutation.there)
    if count != 1:
        raise Faulty(f"{mutation.file} has its text {count} times")
    return text.replace(mutation.there, mutation.fault)


def check(mutation: Mutation, root: Path) -> None:
    """Raises Faulty if it can't be tried: its text is not there, or its test is gone."""
    if not _NAME.fullmatch(mutation.name):
        raise Faulty("is no name")
    if mutation.there == mutation.fault:
        raise Faulty("changes nothing")
    mutate(mutation, root)
    target = _TARGET.fullmatch(mutation.test)
    case = _FILTER.fullmatch(mutation.filter)
    if target is None or case is None:
        raise Faulty(f"{mutation.test} or {mutation.filter} is no test")
    try:
        source = (root / target[1] / f"{target[2]}.cc").read_text(encoding="utf-8")
    except OSError as error:
        raise Faulty(f"cannot read {mutation.test}: {error.strerror}") from error
    if not re.search(rf"\bTEST(_[FP])?\({case[1]},\s*{case[2]}\)", source):
        raise Faulty(f"{mutation.test} has no {mutation.filter}")
