"""Help is instant: nothing heavy is imported for it, and every command has some."""

import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

from cli.main import app
from domain.reason import require_reason

HEAVY = ("fastapi", "psycopg", "uvicorn", "cryptography", "httpx", "asyncio", "eventsourcing")

SHOW = """
import sys
from cli.main import main
sys.argv = ["escrow", *sys.argv[1:]]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(",".join(sorted(name for name in sys.modules if name in {heavy!r})), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["replay", "--help"], ["demo", "--help"]], ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW.replace("{heavy!r}", repr(HEAVY)), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr.strip() == ""
    assert "Usage" in shown.stdout


def commands(command: object, words: tuple[str, ...] = ("escrow",)) -> Iterator[tuple[str, object]]:
    """Yield every command that does something."""
    children: dict[str, object] | None = getattr(command, "commands", None)
    if children is None:
        yield " ".join(words), command
    for name, child in (children or {}).items():
        yield from commands(child, (*words, name))


def test_every_command_and_option_has_a_help_text() -> None:
    silent: list[str] = []
    for name, command in commands(typer.main.get_command(app)):
        if not getattr(command, "help", None):
            silent.append(name)
        silent += [f"{name} {each.name}" for each in command.params if not getattr(each, "help", None)]
    assert silent == []


def test_every_command_shows_an_example_of_itself() -> None:
    for name, command in commands(typer.main.get_command(app)):
        assert name in (command.epilog or ""), name


def test_every_reason_in_an_example_is_long_enough_to_be_accepted() -> None:
    shown = list[str]()
    for _, command in commands(typer.main.get_command(app)):
        words = shlex.split((command.epilog or "").removeprefix("Example: "))
        shown += [words[place + 1] for place, word in enumerate(words) if word == "--reason"]
    assert shown
    for reason in shown:
        require_reason(reason)


def test_every_number_has_a_largest_that_the_database_can_hold() -> None:
    for name, command in commands(typer.main.get_command(app)):
        for each in command.params:
            if isinstance(getattr(each, "min", None), int) and "seconds" not in each.name:
                assert each.max is not None, f"{name} {each.name}"
                assert each.max < 2**63


ASKS = {"user keys", "user erase", "replay rebuild", "replay repair", "vault pepper forget", "webhooks replay"}
"""What cannot be taken back and can wait for an answer; `restored` is a brake, which must not."""


def test_whatever_destroys_can_be_tried_dry_and_asks_unless_told_not_to() -> None:
    asking = set[str]()
    for name, command in commands(typer.main.get_command(app)):
        options = {option for each in command.params for option in each.opts}
        if "--yes" in options:
            asking.add(name)
            assert "--dry-run" in options, name
    assert asking == {f"escrow {name}" for name in ASKS}
