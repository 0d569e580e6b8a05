"""What is copied. The same seed makes the same names, sizes, bytes, modes and times."""

import math
import os
import random
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Dict, List

# Sizes of small files: log-normal, as in home directories and source trees.
_MEDIAN_BYTES = 3300
_MEAN_BYTES = 8800
_MU = math.log(_MEDIAN_BYTES)
_SIGMA = math.sqrt(2 * math.log(_MEAN_BYTES / _MEDIAN_BYTES))

# Contents are pieces of one pool of random bytes: they can't be compressed, no two files
# are equal, and making them costs no more than copying them.
_POOL_BYTES = 32 * 2**20
_PIECE_BYTES = 2**20

_FILE_MODES = (0o644, 0o644, 0o644, 0o600, 0o755)
_OLDEST_SECONDS = 1_000_000_000
_NEWEST_SECONDS = 1_700_000_000


# In a file of many extents: the bytes between two holes, and those of a hole. With one
# block for each, a file has as many extents as its size permits.
_EXTENT_BYTES = 4096


class Shape(Enum):
    FILES = "files in directories"
    DIRECTORIES = "empty directories in directories"
    CHAINS = "directories in each other, with a file in each"
    ONE_FILE = "one file"
    EXTENTS = "one file, with a hole behind each extent"


@dataclass(frozen=True)
class DataSet:
    """One source. `entries` are spread evenly over `directories` (1: all in the top)."""

    name: str
    shape: Shape
    entries: int  # Files; for DIRECTORIES and CHAINS directories, for EXTENTS extents.
    directories: int = 1  # For CHAINS: the number of chains.
    file_bytes: int = 0  # For ONE_FILE its size; for FILES the largest size, if given.
    contents_every: int = 1  # For FILES: one file in so many has contents.

    @property
    def is_one_file(self) -> bool:
        return self.shape in (Shape.ONE_FILE, Shape.EXTENTS)

    def tenth(self) -> "DataSet":
        """The same data set with a tenth of the size, for `--quick`."""
        if self.shape is Shape.ONE_FILE:
            small = self.file_bytes < 2**20
            size = self.file_bytes if small else self.file_bytes // 10
            return DataSet(self.name, self.shape, 1, 1, size)
        directories = max(1, self.directories // 10)
        return replace(self, entries=self.entries // 10, directories=directories)

    def disk_bytes(self) -> int:
        """Roughly its size on a file system of 4 KiB blocks; rather more than less."""
        if self.shape is Shape.ONE_FILE:
            return self.file_bytes + 2**20
        if self.shape is Shape.EXTENTS:
            return self.entries * _EXTENT_BYTES + 2**20
        if self.shape is Shape.DIRECTORIES:
            return self.entries * 4608
        if self.shape is Shape.CHAINS:
            return self.entries * 2 * 4608
        with_contents = self.entries // self.contents_every
        return self.entries * 1280 + with_contents * (_MEAN_BYTES + 1792)

    def inodes(self) -> int:
        """The number of its files and directories; rather more than less."""
        if self.is_one_file:
            return 1
        return 2 * self.entries if self.shape is Shape.CHAINS else self.entries + self.directories

    def make(self, seed: int, top: Path) -> None:
        """Creates it at `top`, which does not exist yet. The umask must be 022."""
        # The name does not count: `flat` has the same files as `small`.
        generator = random.Random(seed)
        if self.shape is Shape.DIRECTORIES:
            self._make_directories(top)
        elif self.shape is Shape.CHAINS:
            self._make_chains(generator, top)
        elif self.shape is Shape.ONE_FILE:
            self._make_file(generator, top)
        elif self.shape is Shape.EXTENTS:
            self._make_extents(generator, top)
        else:
            self._make_files(generator, top)

    def _make_directories(self, top: Path) -> None:
        os.mkdir(top)
        for number in range(self.directories):
            os.mkdir(top / f"dir{number:04}")
        for number in range(self.entries):
            os.mkdir(top / f"dir{number % self.directories:04}" / f"empty{number:06}")

    def _size(self, generator: random.Random) -> int:
        if self.file_bytes:
            return generator.randrange(1, self.file_bytes + 1)
        return int(generator.lognormvariate(_MU, _SIGMA))

    def _make_chains(self, generator: random.Random, top: Path) -> None:
        """Uses short names, because GNU cp uses whole paths, of at most 4095 bytes."""
        os.mkdir(top)
        for chain in range(self.directories):
            os.mkdir(top / str(chain))
            directory = os.open(top / str(chain), os.O_RDONLY | os.O_DIRECTORY)
            for _ in range(self.entries // self.directories):
                os.mkdir("d", dir_fd=directory)
                inner = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
                os.close(directory)
                directory = inner
                file = os.open("f", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=directory)
                os.write(file, generator.randbytes(16))
                os.close(file)
            os.close(directory)

    def _make_extents(self, generator: random.Random, top: Path) -> None:
        pool = memoryview(generator.randbytes(_POOL_BYTES + _EXTENT_BYTES))
        with open(top, "xb", buffering=0) as file:
            for number in range(self.entries):
                start = generator.randrange(_POOL_BYTES)
                extent = pool[start : start + _EXTENT_BYTES]
                os.pwrite(file.fileno(), extent, 2 * number * _EXTENT_BYTES)
            file.truncate(2 * self.entries * _EXTENT_BYTES)

    def _make_file(self, generator: random.Random, top: Path) -> None:
        pool = memoryview(generator.randbytes(_POOL_BYTES + _PIECE_BYTES))
        with open(top, "xb", buffering=0) as file:
            left = self.file_bytes
            while left > 0:
                start = generator.randrange(_POOL_BYTES)
                left -= file.write(pool[start : start + min(left, _PIECE_BYTES)])

    def _make_files(self, generator: random.Random, top: Path) -> None:
        pool = memoryview(generator.randbytes(_POOL_BYTES + _PIECE_BYTES))
        os.mkdir(top)
        names = [f"dir{number:04}" for number in range(self.directories)]
        if self.directories == 1:
            names = ["."]
        else:
            for name in names:
                os.mkdir(top / name)
        per_directory = math.ceil(self.entries / self.directories)
        for index, name in enumerate(names):
            directory = os.open(top / name, os.O_RDONLY | os.O_DIRECTORY)
            first = index * per_directory
            for number in range(first, min(first + per_directory, self.entries)):
                has_contents = number % self.contents_every == 0
                size = self._size(generator) if has_contents else 0
                _make_small_file(generator, pool, directory, number, size)
            os.close(directory)


def _make_small_file(
    generator: random.Random, pool: memoryview, directory: int, number: int, size: int
) -> None:
    name = f"file{number:06}.dat"
    mode = _FILE_MODES[number % len(_FILE_MODES)]
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=directory)
    left = size
    while left > 0:
        start = generator.randrange(_POOL_BYTES)
        left -= os.write(file, pool[start : start + min(left, _PIECE_BYTES)])
    if number % 16 == 0 and os.geteuid() == 0:
        os.fchown(file, 1, 1)
    seconds = generator.randrange(_OLDEST_SECONDS, _NEWEST_SECONDS)
    time = seconds * 1_000_000_000 + generator.randrange(1_000_000_000)
    os.utime(file, ns=(time, time))
    os.close(file)


def _by_name(data_sets: List[DataSet]) -> Dict[str, DataSet]:
    return {data_set.name: data_set for data_set in data_sets}


# Growth is about the number of files, so most files are empty. With contents, a million
# files and their copies are 11 GB of new pages, and writing those takes longer the more
# there are, whichever program copies (BENCHMARKS.md, "Growth (P10)"). The other files
# have at most a page, because ringcp's buffers grow to the largest file that was in them,
# and among many files there are more large ones than among few.
_GROWTH_CONTENTS_EVERY = 50
_GROWTH_FILE_BYTES = 4096


def _growing(name: str, files: int, directories: int = 1) -> DataSet:
    return DataSet(
        name,
        Shape.FILES,
        files,
        directories,
        file_bytes=_GROWTH_FILE_BYTES,
        contents_every=_GROWTH_CONTENTS_EVERY,
    )


DATA_SETS: Dict[str, DataSet] = _by_name(
    [
        DataSet("small", Shape.FILES, entries=50_000, directories=500),
        DataSet("flat", Shape.FILES, entries=50_000),
        DataSet("large", Shape.ONE_FILE, entries=1, file_bytes=1_500_000_000),
        DataSet("large-cold", Shape.ONE_FILE, entries=1, file_bytes=3_000_000_000),
        DataSet("one", Shape.ONE_FILE, entries=1, file_bytes=4096),
        DataSet("empty", Shape.DIRECTORIES, entries=50_000, directories=500),
        DataSet("slow", Shape.FILES, entries=2_000, directories=40),
        DataSet("slow-large", Shape.ONE_FILE, entries=1, file_bytes=256 * 2**20),
        _growing("growth-10k", 10_000, directories=100),
        _growing("growth-50k", 50_000, directories=500),
        _growing("growth-100k", 100_000, directories=1_000),
        _growing("growth-1m", 1_000_000, directories=10_000),
        _growing("growth-flat-50k", 50_000),
        _growing("growth-flat-1m", 1_000_000),
        DataSet("deep-200", Shape.CHAINS, entries=40_000, directories=200),
        DataSet("deep-2000", Shape.CHAINS, entries=40_000, directories=20),
        DataSet("extents-10k", Shape.EXTENTS, entries=10_000),
        DataSet("extents-100k", Shape.EXTENTS, entries=100_000),
    ]
)
