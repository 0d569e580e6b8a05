"""What is copied. The same seed makes the same names, sizes, bytes, modes and times."""

import math
import os
import random
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Dict, List

# Sizes of small files: log-normal, as in home directories and source trees.
_MEDIAN_BYTES = 3300
_MEAN_BYTES = 8800
_MU = math.log(_MEDIAN_BYTES)
_SIGMA = math.sqrt(2 * math.log(_MEAN_BYTES / _MEDIAN_BYTES))

# Contents are pieces of one pool of random bytes: nothing compresses, no two files are
# equal, and making them costs no more than copying them.
_POOL_BYTES = 32 * 2**20
_PIECE_BYTES = 2**20

_FILE_MODES = (0o644, 0o644, 0o644, 0o600, 0o755)
_OLDEST_SECONDS = 1_000_000_000
_NEWEST_SECONDS = 1_700_000_000


class Shape(Enum):
    FILES = "files in directories"
    DIRECTORIES = "empty directories in directories"
    ONE_FILE = "one file"


@dataclass(frozen=True)
class DataSet:
    """One source. `entries` are spread evenly over `directories` (1: all in the top)."""

    name: str
    shape: Shape
    entries: int
    directories: int = 1
    file_bytes: int = 0  # of ONE_FILE

    def tenth(self) -> "DataSet":
        """The same in a tenth of the size, for `--quick`."""
        if self.shape is Shape.ONE_FILE:
            small = self.file_bytes < 2**20
            size = self.file_bytes if small else self.file_bytes // 10
            return DataSet(self.name, self.shape, 1, 1, size)
        directories = max(1, self.directories // 10)
        return DataSet(self.name, self.shape, self.entries // 10, directories)

    def disk_bytes(self) -> int:
        """About what it takes on a file system of 4 KiB blocks; rather more than less."""
        if self.shape is Shape.ONE_FILE:
            return self.file_bytes + 2**20
        if self.shape is Shape.DIRECTORIES:
            return self.entries * 4608
        return self.entries * (_MEAN_BYTES + 3072)

    def make(self, seed: int, top: Path) -> None:
        """Creates it at `top`, which does not exist yet. The umask must be 022."""
        # Not the name: `flat` has the same files as `small`.
        generator = random.Random(seed)
        if self.shape is Shape.DIRECTORIES:
            self._make_directories(top)
        elif self.shape is Shape.ONE_FILE:
            self._make_file(generator, top)
        else:
            self._make_files(generator, top)

    def _make_directories(self, top: Path) -> None:
        os.mkdir(top)
        for number in range(self.directories):
            os.mkdir(top / f"dir{number:04}")
        for number in range(self.entries):
            os.mkdir(top / f"dir{number % self.directories:04}" / f"empty{number:06}")

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
        descriptors = [os.open(top / name, os.O_RDONLY | os.O_DIRECTORY) for name in names]
        per_directory = math.ceil(self.entries / self.directories)
        for number in range(self.entries):
            directory = descriptors[number // per_directory]
            _make_small_file(generator, pool, directory, f"file{number:06}.dat", number)
        for descriptor in descriptors:
            os.close(descriptor)


def _make_small_file(
    generator: random.Random, pool: memoryview, directory: int, name: str, number: int
) -> None:
    size = int(generator.lognormvariate(_MU, _SIGMA))
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


DATA_SETS: Dict[str, DataSet] = _by_name(
    [
        DataSet("small", Shape.FILES, entries=50_000, directories=500),
        DataSet("flat", Shape.FILES, entries=50_000),
        DataSet("large", Shape.ONE_FILE, entries=1, file_bytes=1_500_000_000),
        DataSet("large-cold", Shape.ONE_FILE, entries=1, file_bytes=3_000_000_000),
        DataSet("one", Shape.ONE_FILE, entries=1, file_bytes=4096),
        DataSet("empty", Shape.DIRECTORIES, entries=50_000, directories=500),
    ]
)
