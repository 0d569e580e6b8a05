"""The ways in which a work can end without numbers."""


class LeftOut(Exception):
    """A work or a file system can't be measured here. The text says why."""


class BenchFailed(Exception):
    """A program failed, or its copy is wrong. The bench ends with exit code 1."""


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
