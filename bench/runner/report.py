"""The table for people (Markdown, as in BENCHMARKS.md) and the JSON document."""

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Tuple

from .cpu_profile import CpuProfile
from .growth import Factors, factors, seconds_per_entry
from .measure import Comparison, Result
from .pairs import SideSummary
from .targets import PEAK_BYTES_MAX, Metric
from .works import GROWTH_NUMBER

_PAIRS_WANTED = 7

_COLUMNS = (
    "work",
    "#",
    "peer",
    "ratio",
    "spread",
    "best s: peer",
    "ringcp",
    "CPU s: peer",
    "ringcp",
    "peak MiB: peer",
    "ringcp",
    "target",
    "verdict",
)

_PEERS_COLUMNS = (
    "work",
    "program",
    "ratio",
    "median s",
    "CPU s",
)

_GROWTH_COLUMNS = (
    "work",
    "entries",
    "µs per entry: peer",
    "ringcp",
    "peak MiB: peer",
    "ringcp",
)


@dataclass
class Report:
    """Everything that a run of the bench reports."""

    pairs: int
    seed: int
    quick: bool
    machine: Dict[str, str] = field(default_factory=dict)
    versions: Dict[str, str] = field(default_factory=dict)
    places: Dict[str, str] = field(default_factory=dict)
    results: List[Result] = field(default_factory=list)
    left_out: List[Tuple[str, str]] = field(default_factory=list)  # Work, why.
    failed: List[Tuple[str, str]] = field(default_factory=list)  # Work, how.

    def text(self) -> str:
        lines = [f"- {key}: {value}" for key, value in self.machine.items()]
        lines += [f"- {program}: {version}" for program, version in self.versions.items()]
        lines += [f"- {place}: {words}" for place, words in self.places.items()]
        lines.append(f"- {self._how()}")
        lines += [
            "- ratio: of the medians, peer / ringcp, above 1 = ringcp faster; of several peers the "
            "fastest; spread: of single pairs; CPU: median, user and system; no sync within the "
            "time; peak: of the largest process, through the agent both"
        ]
        if self.results:
            lines += ["", *_table([_COLUMNS, *(_row(result) for result in self.results)])]
            lines += ["", *self._peers_table(), *self._growth_table()]
            lines += [self._peak_line(), *map(str, self._growths())]
        missed = [
            f"{result.work.name}: {result.profile}" for result in self.results if result.missed
        ]
        missed += [
            f"{growth.growth.small} to {growth.growth.large}, for each {growth.growth.entry}: "
            f"{growth.where}"
            for growth in self._growths()
            if not growth.time_met
        ]
        if missed:
            lines += ["", "Missed, and what the time goes into (one more run, under perf):"]
            lines += [f"- {line}" for line in missed]
        for title, entries in (("Left out", self.left_out), ("FAILED", self.failed)):
            if entries:
                lines += ["", f"{title}:", *_by_reason(entries)]
        return "\n".join(lines) + "\n"

    def document(self) -> Dict[str, Any]:
        """The same for programs, with every single run."""
        return {
            "machine": self.machine,
            "versions": self.versions,
            "places": self.places,
            "pairs": self.pairs,
            "seed": self.seed,
            "quick": self.quick,
            "works": [_work_document(result) for result in self.results],
            "peak_memory": self._peak_document(),
            "growth": [growth.document() for growth in self._growths()],
            "left_out": [{"name": name, "reason": why} for name, why in self.left_out],
            "failed": [{"name": name, "reason": why} for name, why in self.failed],
        }

    def _how(self) -> str:
        words = f"{self.pairs} pairs after one to warm up, in turn; seed {self.seed}"
        if self.quick:
            words += "; A TRIAL: a tenth of the data (--quick)"
        elif self.pairs < _PAIRS_WANTED:
            words += f"; A TRIAL: fewer than {_PAIRS_WANTED} pairs"
        fewer = [
            f"{result.work.name} {len(result.best.pairs)}"
            + ("" if result.work.warm_up else " and none to warm up")
            for result in self.results
            if len(result.best.pairs) < self.pairs or not result.work.warm_up
        ]
        if fewer:
            words += f"; fewer pairs where a run is long: {', '.join(fewer)}"
        return words

    def _growths(self) -> List[Factors]:
        return factors(self.results)

    def _peers_table(self) -> List[str]:
        """Of works with several peers: each of them."""
        rows = [
            row
            for result in self.results
            if len(result.comparisons) > 1
            for row in _peers_rows(result)
        ]
        return [*_table([_PEERS_COLUMNS, *rows]), ""] if rows else []

    def _growth_table(self) -> List[str]:
        rows = [
            _growth_row(result) for result in self.results if result.work.number == GROWTH_NUMBER
        ]
        return [*_table([_GROWTH_COLUMNS, *rows]), ""] if rows else []

    def _highest_peak(self) -> Result:
        return max(self.results, key=lambda result: result.summary.ringcp.peak_bytes)

    def _peak_line(self) -> str:
        highest = self._highest_peak()
        peak = highest.summary.ringcp.peak_bytes
        if not peak:
            return "P10: ringcp's highest peak is not known"
        verdict = "met" if peak <= PEAK_BYTES_MAX else "MISSED"
        return (
            f"P10: ringcp's highest peak is {_mib(peak)} MiB ({highest.work.name}); "
            f"target ≤ {PEAK_BYTES_MAX / 2**20:g} MiB: {verdict}"
        )

    def _peak_document(self) -> Dict[str, Any]:
        if not self.results:
            return {}
        highest = self._highest_peak()
        peak = highest.summary.ringcp.peak_bytes
        if not peak:
            return {}
        return {
            "number": "P10",
            "work": highest.work.name,
            "peak_bytes": peak,
            "bound_bytes": PEAK_BYTES_MAX,
            "met": peak <= PEAK_BYTES_MAX,
        }


def _by_reason(entries: List[Tuple[str, str]]) -> List[str]:
    """A line for each reason, with all works that have it."""
    names: Dict[str, List[str]] = {}
    for name, why in entries:
        names.setdefault(why, []).append(name)
    return [f"- {', '.join(works)}: {why}" for why, works in names.items()]


def _row(result: Result) -> Tuple[str, ...]:
    summary = result.summary
    return (
        result.work.name,
        result.work.number,
        result.best.peer.label,
        f"{summary.ratio:.2f}",
        f"{summary.ratio_lowest:.2f}–{summary.ratio_highest:.2f}",
        _seconds(summary.peer.minimum_seconds),
        _seconds(summary.ringcp.minimum_seconds),
        _seconds(summary.peer.cpu_seconds),
        _seconds(summary.ringcp.cpu_seconds),
        _mib(summary.peer.peak_bytes),
        _mib(summary.ringcp.peak_bytes),
        ", ".join(str(verdict.target) for verdict in result.verdicts),
        ", ".join(str(verdict) for verdict in result.verdicts),
    )


def _peers_rows(result: Result) -> List[Tuple[str, ...]]:
    ringcp = result.summary.ringcp
    sides = [("", result.work.ringcp.label, ringcp)]
    sides += [
        (f"{comparison.summary.ratio:.2f}", comparison.peer.label, comparison.summary.peer)
        for comparison in result.comparisons
    ]
    return [
        (
            result.work.name,
            label,
            ratio,
            _seconds(side.median_seconds),
            _seconds(side.cpu_seconds),
        )
        for ratio, label, side in sides
    ]


def _growth_row(result: Result) -> Tuple[str, ...]:
    summary = result.summary
    return (
        result.work.name,
        f"{result.entries:,}",
        f"{seconds_per_entry(result, summary.peer) * 1e6:.2f}",
        f"{seconds_per_entry(result, summary.ringcp) * 1e6:.2f}",
        _mib(summary.peer.peak_bytes),
        _mib(summary.ringcp.peak_bytes),
    )


def _table(rows: List[Tuple[str, ...]]) -> List[str]:
    """A Markdown table with aligned columns. The first row is the head."""
    rows = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [lines[0], rule, *lines[1:]]


def _work_document(result: Result) -> Dict[str, Any]:
    work, best, summary = result.work, result.best, result.summary
    return {
        "name": work.name,
        "number": work.number,
        "data": work.data,
        "place": work.place,
        "entries": result.entries,
        "peer": _side_document(best.peer.label, best.command, summary.peer),
        "ringcp": _side_document(work.ringcp.label, result.command, summary.ringcp),
        "ratio": summary.ratio,
        "ratio_lowest": summary.ratio_lowest,
        "ratio_highest": summary.ratio_highest,
        "first_progress_seconds": result.figures.get(Metric.FIRST_PROGRESS),
        "sqe_share": result.figures.get(Metric.SQES),
        "dear_calls": work.dear_calls,
        "profile": (
            result.profile.document() if isinstance(result.profile, CpuProfile) else result.profile
        ),
        "targets": [
            {
                "metric": verdict.target.metric.value,
                "bound": verdict.target.bound,
                "value": verdict.value,
                "met": verdict.met,
            }
            for verdict in result.verdicts
        ],
        "pairs": [asdict(pair) for pair in best.pairs],
        "other_peers": [
            _comparison_document(comparison)
            for comparison in result.comparisons
            if comparison is not best
        ],
    }


def _comparison_document(comparison: Comparison) -> Dict[str, Any]:
    summary = comparison.summary
    return {
        **_side_document(comparison.peer.label, comparison.command, summary.peer),
        "ratio": summary.ratio,
        "ratio_lowest": summary.ratio_lowest,
        "ratio_highest": summary.ratio_highest,
        "pairs": [asdict(pair) for pair in comparison.pairs],
    }


def _side_document(label: str, command: List[str], summary: SideSummary) -> Dict[str, Any]:
    return {"label": label, "command": command, **asdict(summary)}


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g}"


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f}" if count else "?"
