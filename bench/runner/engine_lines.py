"""What `ringcp --debug` says of its engine."""

import re

_SQES = re.compile(r"\b(\d+) SQEs\b")
_MISSED = re.compile(r"\b(\d+) of them with an io_uring opcode\b")


def sqe_share(messages: str) -> float:
    """Of the ops that io_uring has an opcode for, the part that it was given: 0 to 1.

    0 where ringcp copied without io_uring.
    """
    sqes, missed = (sum(map(int, line.findall(messages))) for line in (_SQES, _MISSED))
    return sqes / (sqes + missed) if sqes else 0.0
