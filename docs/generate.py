"""Write the reference pages that follow from the code: `python -m docs.generate`. A test holds them up to date."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from inspect import cleandoc
from pathlib import Path

import typer

from database.settings import Settings
from docs import proofs
from docs.event_pages import render_events
from docs.rooms import ROOMS, ROOT

REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- Made from the code by `python -m docs.generate`. Change the code and run it again. -->"


def import_rooms() -> None:
    """Import every module, so that every error and event is known."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def sentence(text: str | None) -> str:
    """Return a docstring as one line."""
    return " ".join(cleandoc(text or "").split())


def cell(text: str) -> str:
    """Return a text that does not break a table."""
    return text.replace("|", "\\|").replace("\n", " ").strip()


def descend(kind: type) -> Iterator[type]:
    """Yield every subclass that belongs to the product."""
    for child in kind.__subclasses__():
        if child.__module__.split(".")[0] in ROOMS:
            yield child
        yield from descend(child)


def render_errors() -> str:
    """Every code that an answer or a terminal can show."""
    from cli.exit_code import UNEXPECTED
    from cli.failure import CODES
    from domain.errors import EscrowError

    rows: dict[tuple[str, int, str], str] = {}
    named = [kind for kind in descend(EscrowError) if kind.code != EscrowError.code]
    for error in (EscrowError, *named):
        exit_code = next((code for base, code in CODES if issubclass(error, base)), UNEXPECTED)
        rows[error.code, error.status, sentence(error.__doc__)] = str(exit_code)
    lines = [
        f"| `{code}` | {status} | {exit_code} | {cell(message)} |"
        for (code, status, message), exit_code in sorted(rows.items())
    ]
    return page(
        "Errors",
        """Over HTTP an error is `application/problem+json` (RFC 9457) with a stable `code`, a `detail` for people,
the `request_id`, and where it helps the current `state` and the `allowed_actions`. On the command line the code
stands first on stderr, and the exit code is the one below. A code is never renamed.

Retry what has the status 429 or 503, after `Retry-After` seconds and with the same `Idempotency-Key`. Read again and
decide anew after 409 and 412. Everything else will fail again until something else changes.""",
        ["| code | HTTP | exit | meaning |", "|---|---|---|---|", *lines],
    )


def render_settings() -> str:
    """Every environment variable."""
    rows: list[str] = []
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{name.upper()}` | {cell(_meaning_of(name))} | {default} |")
    return page(
        "Settings",
        """Settings come from the environment, are read once at the start, and never change while a process runs. No
secret has a default: a command that needs one which is missing or malformed names it and stops with exit code 4. An
empty variable counts as absent.

Money settings that may change while transactions run (the commission, the four-eyes limit, break-glass) are events:
`escrow setting change` does it (`configuration.setting_changed.v1` in [events](events.md)). Rates to the US
dollar stand in `rates.json` in `ESCROW_HOME`, such as `{"on": "2026-11-01", "units_per_usd": {"KES": "129.5"}}`.""",
        ["| variable | meaning | default |", "|---|---|---|", *rows],
    )


def _meaning_of(setting: str) -> str:
    """Return what the text below a field of the settings says; the language keeps no docstring of a field."""
    text = (ROOT / "database" / "settings.py").read_text(encoding="utf-8")
    return sentence(re.findall(rf'"""{setting.upper()}: (.*?)"""', text, re.DOTALL)[0])


def render_commands() -> str:
    """Every command with its options."""
    from cli.main import app

    blocks = [
        line for path, command in walk_commands(typer.main.get_command(app), ()) for line in _block(path, command)
    ]
    return page(
        "Commands",
        """`escrow` is in `.venv/bin`. `--json` prints one object on stdout; progress and messages go to stderr.

| exit | meaning |
|---|---|
| 0 | fine |
| 1 | unexpected |
| 2 | wrong usage: an unknown option, or a value that is not valid |
| 3 | a difference or damage was found |
| 4 | a precondition is not met, such as a database that is not running |
| 5 | not found |
| 6 | conflict: somebody else was faster, or the key was used before |
| 9 | refused by a rule |
| 130 | stopped with Ctrl-C |""",
        blocks,
    )


def walk_commands(command: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every command that does something, with its words."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name in sorted(children):
        yield from walk_commands(children[name], (*path, name))


def _block(path: tuple[str, ...], command: object) -> list[str]:
    lines = ["", f"## `escrow {' '.join(path)}`", "", plain(getattr(command, "help", ""))]
    parameters = [each for each in getattr(command, "params", []) if each.name != "help"]
    if parameters:
        lines += ["", "| argument | meaning | default |", "|---|---|---|", *map(_parameter, parameters)]
    epilog = plain(getattr(command, "epilog", ""))
    return [*lines, "", f"Example: `{epilog.removeprefix('Example: ')}`"] if epilog else lines


def _parameter(parameter: object) -> str:
    names: list[str] = getattr(parameter, "opts", [])
    is_argument = getattr(parameter, "param_type_name", "") == "argument"
    shown = f"`{names[0].upper()}`" if is_argument else ", ".join(f"`{name}`" for name in names)
    default = getattr(parameter, "default", None)
    known = isinstance(default, int | str) and not isinstance(default, bool) and default != ""
    note = f"`{default}`" if known else ("required" if getattr(parameter, "required", False) else "")
    return f"| {shown} | {cell(plain(getattr(parameter, 'help', '')))} | {note} |"


def plain(text: str | None) -> str:
    """Return a help text in one line, without the marks of the terminal."""
    return sentence(re.sub(r"\[/?bold\]", "", text or ""))


def render_tables() -> str:
    """Every table and view, with its columns and what the auditor may read."""
    sources = sorted((ROOT / "database" / "migrations").glob("*.sql")) + sorted((ROOT / "projections").glob("*.sql"))
    sources += [ROOT / "database" / "migrate.sql"]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    readable = "\n".join(texts.values())
    blocks = [line for path in sources for line in _tables_of(path, texts[path], readable)]
    return page(
        "Tables",
        """All tables are in the schema `public` of the database `escrow`. Those of `projections/` are **folds** of the
log: they may be dropped and are rebuilt to the same rows. The others are the log itself, what is kept outside it on
purpose, and inputs.

Connect as the auditor with `psql "$(.venv/bin/escrow dsn)"`. "auditor" says what that role can read. Times are UTC,
amounts are integers in minor units of the row's currency unless the name says otherwise.""",
        blocks,
    )


CREATE = re.compile(
    r"((?:^--[^\n]*\n)*)^\s*CREATE (TABLE|VIEW) (?:IF NOT EXISTS )?(?:public\.)?(\w+)(?: AS)?(.*?);\s*$",
    re.MULTILINE | re.DOTALL,
)
DROPPED = re.compile(r"^DROP TABLE (?:public\.)?(\w+);$", re.MULTILINE)
ALTERED = re.compile(r"^ALTER TABLE (?:public\.)?(\w+)\s([^;]*);$", re.MULTILINE)
ADDED = re.compile(r"ADD COLUMN ([a-z_0-9]+) ([a-z0-9]+(?: \[\])?)")
COLUMN = re.compile(r"^    ([a-z_0-9]+) ((?:double precision|numeric\([^)]*\)|[a-z0-9]+)(?: \[\]| without time zone)?)")


def _tables_of(path: Path, text: str, everything: str) -> Iterator[str]:
    for found in CREATE.finditer(text):
        comment, kind, name, body = found.groups()
        if name in DROPPED.findall(everything):
            continue
        about = " ".join(line[3:].strip() for line in comment.splitlines() if not line.startswith("-- name:"))
        yield from ["", f"## `{name}`", "", cell(about) or f"See `{path.relative_to(ROOT)}`.", ""]
        fold = "a fold of the log" if path.parent.name == "projections" and "IF NOT EXISTS" not in found[0] else "kept"
        what = "a view" if kind == "VIEW" else fold
        yield f"Defined in `{path.relative_to(ROOT)}`; {what}; {_sight(name, everything)}."
        columns = [line for line in map(COLUMN.match, body.splitlines()) if line is not None]
        columns += [
            added for table, change in ALTERED.findall(everything) if table == name for added in ADDED.finditer(change)
        ]
        if kind == "TABLE" and columns:
            yield from ["", "| column | type |", "|---|---|", *(f"| `{each[1]}` | {each[2]} |" for each in columns)]


def _sight(table: str, everything: str) -> str:
    grants = re.findall(r"GRANT ([^;]*?) ON (?:TABLE\s+)?([^;]*?)\s+TO ([^;]*?);", everything, re.DOTALL)
    for rights, tables, roles in grants:
        names = re.findall(r"\w+", tables.replace("public.", ""))
        if "escrow_auditor" in roles and "SELECT" in rights and table in names:
            columns = re.search(r"SELECT\s*\(([^)]*)\)", rights)
            return f"auditor: {' '.join(columns[1].split())}" if columns else "auditor: everything"
    return "auditor: nothing"


def page(title: str, about: str, lines: list[str]) -> str:
    """Return a page with its mark, head and rows."""
    return "\n".join([f"# {title}", "", MADE, "", about, "", *lines]).replace("\n\n\n", "\n\n").rstrip() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": render_commands,
    "errors.md": render_errors,
    "events.md": lambda: render_events(page),
    "settings.md": render_settings,
    "tables.md": render_tables,
}


def main() -> None:
    """Write every page."""
    import_rooms()
    for name, render in PAGES.items():
        (REFERENCE / name).write_text(render(), encoding="utf-8")
    proofs.main()


if __name__ == "__main__":
    main()
