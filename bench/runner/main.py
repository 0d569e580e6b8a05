"""Everything in order: options, session, places, works, report."""

import json
import sys
from typing import List, Sequence

from . import command_line, in_process, machine
from .command_line import Options
from .data_sets import DATA_SETS, DataSet
from .errors import BenchFailed, Interrupted, LeftOut
from .measure import Settings, measure
from .places import NAMES, SHARED_MEMORY, Place, open_place
from .programs import expand
from .report import Report
from .session import Session
from .works import Work, by_data


def main(arguments: List[str]) -> int:
    """Returns the exit code."""
    if arguments[:1] == [in_process.COMMAND]:
        return in_process.main(arguments[1:])
    options = command_line.parse(arguments)
    report = Report(options.pairs, options.seed, options.quick)
    report.machine = machine.describe_machine()
    report.versions = machine.describe_versions(options.works, options.ringcp)
    report.left_out += options.only_named
    session = Session(
        options.temporary, options.keep, others=(options.cold_directory, SHARED_MEMORY)
    )
    _log(f"seed {options.seed}, {options.pairs} pairs, {len(options.works)} works")
    try:
        with session:
            for name in NAMES:
                _measure_place(name, session, options, report)
                if options.keep and report.failed:
                    break
    except Interrupted as interrupted:
        _log(f"ended by signal {interrupted.signal_number}")
        return 128 + interrupted.signal_number
    if options.keep:
        _log(f"kept until the next run: {', '.join(map(str, session.directories))}")
    sys.stdout.write(report.text())
    if options.json:
        text = json.dumps(report.document(), indent=2, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if report.failed or not report.results else 0


def _measure_place(name: str, session: Session, options: Options, report: Report) -> None:
    """Makes the place, measures all works on it, and removes it."""
    works = []
    for work in by_data(options.works):
        if work.place != name:
            continue
        try:
            if name not in options.file_systems:
                raise LeftOut("its file system is not asked for (--fs)")
            for peer in work.peers:
                expand(peer, options.peer_ringcp)
            expand(work.ringcp, options.ringcp)
            works.append(work)
        except LeftOut as reason:
            report.left_out.append((work.name, str(reason)))
    if not works:
        return
    data_sets = [_data_set(work, options) for work in works]
    try:
        _log(f"{name}: making the file system")
        with open_place(
            name, session, options.cold_directory, data_sets, _runs(works, options)
        ) as place:
            report.places[name] = place.description
            for index, (work, data_set) in enumerate(zip(works, data_sets)):
                _measure_work(work, place, data_set, options, report)
                if options.keep and report.failed:
                    return
                if data_set not in data_sets[index + 1 :]:
                    place.remove(place.directory / data_set.name)
    except LeftOut as reason:
        report.left_out += [(work.name, str(reason)) for work in works]
    except BenchFailed as failure:
        report.failed.append((name, str(failure)))
        _log(f"{name}: FAILED: {failure}")


def _measure_work(
    work: Work, place: Place, data_set: DataSet, options: Options, report: Report
) -> None:
    settings = Settings(
        ringcp=options.ringcp,
        peer_ringcp=options.peer_ringcp,
        ringcpd=options.ringcpd,
        pairs=options.pairs,
        seed=options.seed,
        quick=options.quick,
        log=_log,
    )
    try:
        report.results.append(measure(work, place, data_set, settings))
        return
    except LeftOut as reason:
        report.left_out.append((work.name, str(reason)))
    except BenchFailed as failure:
        report.failed.append((work.name, str(failure)))
        _log(f"{work.name}: FAILED: {failure}")
    if not options.keep:
        place.remove(place.target)
        place.clear()


def _runs(works: Sequence[Work], options: Options) -> int:
    """How many copies a work makes at most: pairs, one to warm up, one for a profile."""
    programs = max(len(work.peers) for work in works) + 1
    return programs * (options.pairs + 1) + 1


def _data_set(work: Work, options: Options) -> DataSet:
    data_set = DATA_SETS[work.data]
    return data_set.tenth() if options.quick else data_set


def _log(line: str) -> None:
    """Reports progress on standard error, because standard output is for the report."""
    print(f"bench: {line}", file=sys.stderr, flush=True)
