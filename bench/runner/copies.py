"""Whether a copy is right. Cheap enough to check after every run."""

import os
import random
from pathlib import Path
from typing import List

from . import tools
from .errors import BenchFailed
from .processes import in_child
from .programs import Keeps

# The number of files of a tree, or pieces of a large file, that are compared byte for
# byte.
_SAMPLES = 100
_PIECE_BYTES = 256 * 1024

# The unit of st_blocks; and the largest part of its size that a sparse file occupies.
_BLOCK_BYTES = 512
_SPARSE_PART = 0.75


def check(source: Path, target: Path, keeps: Keeps, seed: int, whole: bool) -> None:
    """Raises BenchFailed unless `target` is a copy of `source`.

    The names, kinds, sizes and kept attributes of all entries are compared; the bytes of
    a sample that the seed chooses or, if `whole`, of all files.
    """

    def compare() -> None:
        entries = _list(source, keeps)
        _compare_lists(entries, _list(target, keeps))
        if source.is_file():
            _compare_holes(source, target)
        if whole:
            tools.run("diff", "-r", "--no-dereference", str(source), str(target))
        else:
            _compare_samples(source, target, entries, random.Random(seed))

    difference = in_child(compare)
    if difference:
        raise BenchFailed(f"WRONG COPY: {difference}")


def check_starts(source: Path, targets: List[Path]) -> None:
    """Raises BenchFailed unless each target has the bytes of the small file `source`."""
    expected = source.read_bytes()
    for target in targets:
        if target.read_bytes() != expected:
            raise BenchFailed(f"WRONG COPY: {target} differs from {source}")


def _list(top: Path, keeps: Keeps) -> List[bytes]:
    """Sorted entries: what has to be equal, then the path below `top`."""
    kept = {
        Keeps.CONTENTS: "",
        Keeps.MODES: "%m ",
        Keeps.EVERYTHING: "%m %U:%G %T@ ",
    }[keeps]
    # The file system decides a directory's size, so that is left out.
    directory = ["-type", "d", "-printf", rf"%y {kept}/%P\0"]
    other = ["-printf", rf"%y %s {kept}/%P\0"]
    text = tools.run("find", str(top), *directory, "-o", *other)
    return sorted(text.split(b"\0"))


def _compare_lists(expected: List[bytes], found: List[bytes]) -> None:
    if expected == found:
        return
    missing = sorted(set(expected) - set(found))
    surplus = sorted(set(found) - set(expected))
    examples = ", ".join(
        f"{sign}{entry.decode(errors='replace')!r}"
        for sign, entries in (("-", missing[:3]), ("+", surplus[:3]))
        for entry in entries
    )
    raise ValueError(
        f"{len(missing)} entries of the source are missing or differ, "
        f"{len(surplus)} are not the source's: {examples}"
    )


def _compare_samples(
    source: Path, target: Path, entries: List[bytes], generator: random.Random
) -> None:
    if source.is_file():
        _compare_pieces(source, target, generator)
        return
    # Empty files are right if their sizes are, which have been compared.
    files = [
        entry.split(b"/", 1)[1]
        for entry in entries
        if entry.startswith(b"f ") and not entry.startswith(b"f 0 ")
    ]
    for name in generator.sample(files, min(_SAMPLES, len(files))):
        path = os.fsdecode(name)
        if (source / path).read_bytes() != (target / path).read_bytes():
            raise ValueError(f"{path} differs")


def _compare_holes(source: Path, target: Path) -> None:
    """Raises if the source has many holes and the copy has filled them."""
    status, copied = source.stat(), target.stat()
    if status.st_blocks * _BLOCK_BYTES > status.st_size * _SPARSE_PART:
        return
    if copied.st_blocks > status.st_blocks / _SPARSE_PART:
        raise ValueError(
            f"its holes are filled: {copied.st_blocks} blocks instead of {status.st_blocks}"
        )


def _compare_pieces(source: Path, target: Path, generator: random.Random) -> None:
    """Compares the first and the last bytes, and some in between."""
    last = max(0, source.stat().st_size - _PIECE_BYTES)
    offsets = [0, last] + [generator.randint(0, last) for _ in range(_SAMPLES)]
    with open(source, "rb") as expected, open(target, "rb") as found:
        for offset in offsets:
            expected.seek(offset)
            found.seek(offset)
            if expected.read(_PIECE_BYTES) != found.read(_PIECE_BYTES):
                raise ValueError(f"the {_PIECE_BYTES} bytes at {offset} differ")
