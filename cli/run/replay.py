"""What `escrow replay` does: calls the replay tool with the owner's rights, draws its progress, prints its findings."""

import getpass
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api.http.query import DIGITS, QueryInvalid, read_moment, read_whole
from cli.connection import running_server
from cli.consent import require_consent
from cli.exit_code import DIFFERENCE
from cli.output import print_json, print_table, say, show_plainly
from cli.run.ledger import describe_cover
from database.connect import resolve_dsn
from database.settings import Settings
from domain.errors import Invalid
from replay.as_of import SchemaUnknown, as_of, drop_as_of
from replay.damage import told_apart
from replay.finding import Finding, FindingKind
from replay.progress import Progress as OnStep
from replay.progress import Step
from replay.rebuild import Rebuilt, rebuild
from replay.repair import Repaired, repair
from replay.report import Report
from replay.runs import RUNS
from replay.status import Status, status
from replay.verify import verify


@contextmanager
def owner_dsn() -> Generator[str]:
    """Have a running database and the owner's address of it; what cannot be read of it is named, wherever it shows."""
    settings = Settings()
    with running_server(settings):
        dsn = resolve_dsn(settings, "owner")
        with told_apart(dsn):
            yield dsn


def who() -> str:
    """Return who runs the command, for the record of the run; in a container a number may have no name."""
    try:
        return f"command-line:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"command-line:uid {os.getuid()}"


@contextmanager
def drawn_progress() -> Generator[OnStep]:
    """Draw a bar with rate and time left on a terminal; say nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True, console=_stderr()) as bars:
        tasks: dict[str, TaskID] = {}

        def draw(step: Step) -> None:
            if step.phase not in tasks:
                tasks[step.phase] = bars.add_task(step.phase, total=step.total, rate=0.0)
            bars.update(tasks[step.phase], completed=step.done, total=step.total, rate=step.rate)

        yield draw


def _stderr() -> Console:
    return Console(stderr=True)


def run_verify(projections: Sequence[str] | None, *, expected_head: int | None, log: bool, as_json: bool) -> None:
    """Verify, print what was found; exit 3 when anything was."""
    with owner_dsn() as dsn, drawn_progress() as progress:
        report = verify(
            dsn,
            actor=who(),
            projections=projections or None,
            log=log,
            expected_head=expected_head,
            progress=progress,
        )
    show_report(report, as_json=as_json)


def show_report(report: Report, *, as_json: bool) -> None:
    """Print a report; exit 3 when it has findings."""
    if as_json:
        print_json(report.as_json())
    else:
        _print_report(report)
    if not report.ok:
        raise typer.Exit(DIFFERENCE)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print each in one line: what stands in a damaged row can neither hide it nor pass for a line of ours."""
    for finding in findings:
        print(show_plainly(finding.describe()).replace("\n", "\\n"))


def _print_report(report: Report) -> None:
    _print_findings_of(report)
    _print_summary(report)
    for gap in report.not_checked:
        say(f"not checked: {gap}")


def _print_findings_of(report: Report) -> None:
    print_findings(report.findings)
    total = sum(report.counts.values())
    if total > len(report.findings):
        print(f"... and {total - len(report.findings)} more")


def _print_summary(report: Report) -> None:
    if FindingKind.BLOCK_UNREADABLE.value in report.counts:
        print("log: not all of it can be read, and so nothing is said of the books")
    elif report.log is not None:
        facts = report.log.as_json()
        print(f"log: {facts['events']} events in {facts['streams']} streams, head {facts['head']}")
        for cover in report.log.safeguards:
            print(describe_cover(cover.currency, cover.assets_minor - cover.liabilities_minor))
    for summary in report.projections:
        print(f"{summary.name}: position {summary.position}, {summary.findings} differences")
    print(_verdict(report))


def _verdict(report: Report) -> str:
    return "everything is what the log says" if report.ok else "DIFFERENCES FOUND"


def run_rebuild(projections: Sequence[str] | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Rebuild, after asking; the old tables serve until the new ones are verified."""
    require_consent("Rebuild the tables of the read models from the log?", given=yes or dry_run)
    with owner_dsn() as dsn, drawn_progress() as progress:
        done = rebuild(dsn, actor=who(), projections=projections or None, dry_run=dry_run, progress=progress)
    if as_json:
        print_json(done.as_json())
    else:
        print(_rebuilt(done))
    _warn(done.unrecorded)


def _warn(unrecorded: str | None) -> None:
    if unrecorded is not None:
        say(f"warning: no record of this run could be written to {RUNS}: {unrecorded}")


def run_repair(expected_head: int | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Verify, rebuild what differs, and verify that again; exit 3 when something is still wrong."""
    require_consent("Verify the tables, and rebuild those that differ?", given=yes or dry_run)
    with owner_dsn() as dsn, drawn_progress() as progress:
        done = repair(dsn, actor=who(), dry_run=dry_run, expected_head=expected_head, progress=progress)
    if as_json:
        print_json(done.as_json())
    else:
        _print_repaired(done)
    if not done.ok:
        raise typer.Exit(DIFFERENCE)


def _print_repaired(done: Repaired) -> None:
    _print_findings_of(done.before)
    for line in list_mended(done):
        print(line)
    if done.after is not None:
        _print_findings_of(done.after)
        print(_verdict(done.after))


def list_mended(done: Repaired) -> list[str]:
    """Say in a line each what was mended or, after a dry run, would be."""
    before, is_plan = done.before, done.after is None
    lines = [f"{'would make' if is_plan else 'made'} the index of {table} anew" for table in before.misindexed]
    lines += [] if done.rebuilt is None else [_rebuilt(done.rebuilt)]
    if before.commands_differ:
        folded = f"folded the table of commands anew: {done.commands} commands"
        lines.append("would fold the table of commands anew" if is_plan else folded)
    if before.stops_lost:
        lines.append(f"{'would make' if is_plan else 'made'} the table of stops anew, empty")
    for name in before.unknown_checkpoints:
        what = f"the checkpoint of {name}, which this program does not have"
        lines.append(show_plainly(f"would forget {what}" if is_plan else f"forgot {what}"))
    return lines or (["nothing differs"] if before.ok else [])


def _rebuilt(done: Rebuilt) -> str:
    names = ", ".join(done.projections)
    if done.dry_run:
        return f"would rebuild {names} from {done.events} events"
    return f"rebuilt {names}: {done.events} events in {done.seconds:.1f} s, now at position {done.position}"


def run_as_of(point: str, schema: str, projections: Sequence[str] | None, *, drop: bool, as_json: bool) -> None:
    """Fold the past into a schema, and say how to read it."""
    at = parse_point(point)
    with owner_dsn() as dsn, drawn_progress() as progress:
        if drop:
            with suppress(SchemaUnknown):
                drop_as_of(dsn, schema)
        done = as_of(dsn, schema, at, actor=who(), projections=projections or None, progress=progress)
    if as_json:
        print_json(done.as_json())
    else:
        print(f"the tables as of position {done.position} are in the schema {done.schema}")
    _warn(done.unrecorded)


def parse_point(text: str) -> int | datetime:
    """Return a position or a time, spelt as everywhere else; raise `PointUnreadable`."""
    try:
        return read_whole(text) if DIGITS.fullmatch(text) else read_moment(text)
    except QueryInvalid:
        raise PointUnreadable from None


def run_status(*, as_json: bool) -> None:
    """Print how far the tables are, and how the last runs ended."""
    with owner_dsn() as dsn:
        found = status(dsn)
    if as_json:
        print_json(found.as_json())
    else:
        _print_status(found)


class PointUnreadable(Invalid):
    """Give a position of the log, or a time with its offset such as 2026-11-01T00:00:00Z."""

    code = "point_unreadable"


def _print_status(found: Status) -> None:
    print(f"log: head {found.head}")
    print_table(
        [projection._asdict() for projection in found.projections],
        ("name", "version", "position", "lag", "updated_at", "error"),
    )
    print_table([run._asdict() for run in found.runs], ("kind", "finished_at", "outcome", "findings", "actor"))
