"""What `escrow reconcile` does and prints."""

from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

import typer

from api.http.query import read_moment
from cli.exit_code import DIFFERENCE
from cli.operator import run_on_ground
from cli.output import print_json, print_table, report, say
from cli.wiring import Ground, ask_of, desk_of
from database.clock import read_clock
from domain.errors import Invalid
from domain.reconciliation import count_kinds
from reconciliation.asking import Asked, ask_about_differences
from reconciliation.run import Run, reconcile

CONNECTIONS = 4
DAY_LENGTH = len("2026-11-01")
DIFFERENCE_COLUMNS = ("kind", "subject", "name", "currency", "ledger_minor", "processor_minor", "sentence", "command")
FIGURE_COLUMNS = ("account", "currency", "ledger_minor", "processor_minor", "pending_minor", "listed_minor")


class WindowInvalid(Invalid):
    """`--since` must be before `--until`."""

    code = "window_invalid"


class AskingUnclear(Invalid):
    """A reference goes with `--ask`, and what was asked is recorded: that is no dry run."""

    code = "asking_unclear"


class Outcome(NamedTuple):
    """What was asked about first, and the run that came after it."""

    asked: tuple[Asked, ...]
    run: Run


def run_reconciliation(since: str | None, until: str | None, *, ask: bool, dry_run: bool, as_json: bool) -> None:
    """Run once, print what came of it, and exit 3 when there are differences; with `ask` those are asked about first
    that asking can settle."""
    window = _read_point(since), _read_point(until)
    if window[0] is not None and window[0] >= (window[1] or read_clock()):
        raise WindowInvalid
    asked, run = run_on_ground(lambda ground: _reconcile(ground, window, ask=ask, dry_run=dry_run), CONNECTIONS)
    if as_json:
        print_json({**_as_object(run), "asked": [each._asdict() for each in asked]})
    else:
        _print_asked(asked)
        _print(run)
    if run.outcome.differences:
        raise typer.Exit(DIFFERENCE)


def require_clear(reference: str | None, *, ask: bool, dry_run: bool) -> None:
    """Raise `AskingUnclear` for a reference without `--ask`, and for `--ask` with `--dry-run`."""
    if (ask and dry_run) or (reference is not None and not ask):
        raise AskingUnclear


def run_ask(reference: str, *, as_json: bool) -> None:
    """Ask about one reference and say what it changed; raise `NotFound` for one that no transaction has."""
    answer = run_on_ground(lambda ground: ask_of(ground)(reference), CONNECTIONS)
    what = "something" if answer.changed else "nothing"
    sentence = f"transaction {answer.transaction_id} is {answer.state}; {what} was recorded"
    report(answer._asdict(), sentence, as_json=as_json)


async def _reconcile(
    ground: Ground, window: tuple[datetime | None, datetime | None], *, ask: bool, dry_run: bool
) -> Outcome:
    since, until = window
    desk, key, asked = desk_of(ground), None if dry_run else str(ground.escrow.new_id()), ()
    if ask:
        asked = await ask_about_differences(desk, ask_of(ground), since=since, until=until)
    return Outcome(asked, await reconcile(desk, key, since=since, until=until))


def _read_point(text: str | None) -> datetime | None:
    """Return a moment; a date is its midnight in UTC. Raises QueryInvalid."""
    if text is None:
        return None
    return read_moment(f"{text}T00:00:00Z" if len(text) == DAY_LENGTH else text)


def _as_object(run: Run) -> dict[str, object]:
    outcome = run.outcome
    return {
        "reconciliation_id": run.reconciliation_id,
        "since": run.since,
        "until": run.until,
        "position": run.position,
        "matched": outcome.matched,
        "pending": outcome.pending,
        "counts": {count.kind.value: count.number for count in count_kinds(outcome.differences)},
        "booked": [
            {"of": str(each.key), "movement": each.movement, "amount_minor": each.amount_minor} for each in run.booked
        ],
        "figures": [{**each._asdict(), "unexplained_minor": each.unexplained_minor} for each in outcome.figures],
        "differences": [asdict(each) for each in outcome.differences],
    }


def _print_asked(asked: tuple[Asked, ...]) -> None:
    for each in asked:
        outcome = each.error or f"transaction {each.transaction_id} is {each.state}"
        say(f"asked about {each.reference}: {outcome}; {'something' if each.changed else 'nothing'} was recorded")


def _print(run: Run) -> None:
    outcome = run.outcome
    rows = [{**asdict(each), "name": each.reference or each.processor_id} for each in outcome.differences]
    if rows:
        print_table(rows, DIFFERENCE_COLUMNS)
    print_table([each._asdict() for each in outcome.figures], FIGURE_COLUMNS)
    for booking in run.booked:
        say(f"booked {booking.movement} {booking.amount_minor} {booking.currency} for {booking.key}")
    say(f"{outcome.matched} lines agree, {outcome.pending} are on their way, {len(outcome.differences)} differ")
