"""What `escrow replay` does: calls the replay tool with the owner's rights, draws its progress, prints its findings."""

import getpass
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.database import running_server
from cli.failure import DIFFERENCE
from cli.output import print_json, say
from database.connect import resolve_dsn
from database.settings import Settings
from replay.progress import Progress as OnStep
from replay.progress import Step
from replay.report import Report
from replay.verify import verify


@contextmanager
def owner_dsn() -> Generator[str]:
    """Have a running database and the owner's address of it."""
    settings = Settings()
    with running_server(settings):
        yield resolve_dsn(settings, "owner")


def who() -> str:
    """Return who runs the command, for the record of the run."""
    return f"command-line:{getpass.getuser()}"


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


def _print_report(report: Report) -> None:
    for finding in report.findings:
        print(finding.describe())
    total = sum(report.counts.values())
    if total > len(report.findings):
        print(f"... and {total - len(report.findings)} more")
    _print_summary(report)
    for gap in report.not_checked:
        say(f"not checked: {gap}")


def _print_summary(report: Report) -> None:
    if report.log is not None:
        facts = report.log.as_json()
        print(f"log: {facts['events']} events in {facts['streams']} streams, head {facts['head']}")
        for cover in report.log.safeguards:
            print(
                f"{cover.currency}: clients' money covered with {cover.assets_minor - cover.liabilities_minor} to spare"
            )
    for summary in report.projections:
        print(f"{summary.name}: position {summary.position}, {summary.findings} differences")
    print("everything is what the log says" if report.ok else "DIFFERENCES FOUND")
