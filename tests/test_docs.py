"""The documentation is true: it names everything that exists, its commands run, its queries answer, its links lead."""

import inspect
import os
import re
from pathlib import Path

import psycopg
import pytest
import typer
import yaml
from psycopg.sql import SQL

from api.app import list_routes
from cli.main import app
from database.settings import Settings
from docs import generate
from docs.event_pages import fields_of, list_event_kinds
from docs.field_meanings import MEANINGS
from domain.errors import EscrowError
from domain.transaction import actions
from domain.transaction.phase import FAILED
from domain.transaction.records import PayoutStatus, RefundStatus
from gateways.paystack.sim.control import CONTROLS
from tests.api.matrix import IDENTITIES
from tests.conftest import Database
from tests.pages import DOCS, FENCE, PAGES, ROOT, blocks, paste, read, shell_of
from tests.running_demo import Demo

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
RUNBOOK = (
    """SELECT id, state, buyer_id, seller_id, listing_id, created_at
FROM transactions
WHERE id = <transaction_id>;""",
    """SELECT revealed_at, revealed_to_user_id
FROM credential_vaults
WHERE listing_id = <listing_id>;""",
    """-- Failed transactions in last hour
SELECT COUNT(*) FROM transactions
WHERE state = 'refunded'
AND refunded_at > NOW() - INTERVAL '1 hour';""",
    """-- High-value stuck transactions
SELECT id, amount_usd, state, created_at
FROM transactions
WHERE state IN ('funds_held', 'contract_signed')
AND created_at < NOW() - INTERVAL '7 days';""",
)


@pytest.fixture(scope="session", autouse=True)
def _everything_imported() -> None:
    generate.import_rooms()


def reference(name: str) -> str:
    """Return a page of the reference."""
    return read(DOCS / "reference" / name)


@pytest.mark.parametrize("name", generate.PAGES)
def test_the_reference_is_up_to_date(name: str) -> None:
    assert reference(name) == generate.PAGES[name](), "run: .venv/bin/python -m docs.generate"


def test_every_route_is_documented() -> None:
    page = reference("http-api.md")
    assert [route for route in list_routes() if f"`{route}`" not in page] == []


def test_every_route_has_a_row_that_tries_its_rights_on_everybody() -> None:
    rows = yaml.safe_load(read(ROOT / "tests" / "api" / "matrix.yaml"))
    assert set(list_routes()) == rows.keys(), "say in tests/api/matrix.yaml who gets what"
    short = [
        route
        for route, row in rows.items()
        for kind in ("any", "own", "foreign", "missing")
        if kind in row and len(row[kind].split()) != len(IDENTITIES)
    ]
    assert short == [], f"one code for each of {IDENTITIES}"


def test_every_event_is_documented_with_every_field() -> None:
    page = reference("events.md")
    assert [kind.TOPIC for kind in list_event_kinds() if f"## `{kind.TOPIC}`" not in page] == []
    used = {field for kind in list_event_kinds() for field in fields_of(kind)}
    assert sorted(used - set(MEANINGS)) == [], "say in docs/field_meanings.py what they mean"
    assert sorted(set(MEANINGS) - used) == []


def test_every_command_is_documented() -> None:
    page = reference("commands.md")
    names = [" ".join(words) for words, _ in generate.walk_commands(typer.main.get_command(app), ())]
    assert [name for name in names if f"## `escrow {name}`" not in page] == []


def test_every_setting_is_documented() -> None:
    page = reference("settings.md")
    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in page] == []


def test_every_error_is_documented() -> None:
    page = reference("errors.md")
    codes = {kind.__dict__.get("code", EscrowError.code) for kind in generate.descend(EscrowError)}
    assert sorted(code for code in codes if f"| `{code}` |" not in page) == []


def test_every_table_and_column_is_documented(database: Database) -> None:
    page = reference("tables.md")
    with psycopg.connect(database.owner_dsn) as connection:
        columns = connection.execute(
            """SELECT c.table_name, c.column_name, t.table_type = 'VIEW'
            FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
            WHERE c.table_schema = 'public'"""
        ).fetchall()
    sections = {part.split("`", 1)[0]: part for part in page.split("\n## `")[1:]}
    assert sorted({table for table, _, _ in columns} - set(sections)) == []
    missing = [
        f"{table}.{name}" for table, name, is_view in columns if not is_view and f"| `{name}` |" not in sections[table]
    ]
    assert missing == []


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [each for each in _targets(page) if each.suffix == ".md" and each.exists() and each not in reached]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [str(target) for target in _targets(page) if not target.exists()] == []
    for link in LINK.findall(FENCE.sub("", read(page))):
        file, _, anchor = link.partition("#")
        if anchor and "://" not in link:
            assert anchor in _anchors((page.parent / file).resolve() if file else page), link


def _targets(page: Path) -> list[Path]:
    links = LINK.findall(FENCE.sub("", read(page)))
    return [(page.parent / link.partition("#")[0]).resolve() for link in links if "://" not in link and link[0] != "#"]


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_documentation_stands_alone() -> None:
    """Whoever has this repository has all that it refers to."""
    assert [str(page) for page in PAGES if re.search(r"\.\./shared|/work/|runbook\.md|design\.md", read(page))] == []


def test_every_stuck_reason_is_told_to_whoever_is_called_at_night() -> None:
    told = set(re.findall(r"^\| (.+?) \|", read(DOCS / "how-to" / "stuck-money.md"), re.MULTILINE))
    words = set(re.findall(r"`([a-z_]+)", " ".join(told)))
    fixed = re.findall(r'"((?:awaiting|receipts|money|chargeback|dispute)_[a-z_]+)', inspect.getsource(actions))
    assert len(fixed) > 15
    open_or_failed = {f"payout_{status}" for status in PayoutStatus if status.is_open or status in FAILED}
    open_refunds = {f"refund_{status}" for status in RefundStatus if status.is_open}
    waiting = {
        "payout_waiting_for_balance",
        "refund_waiting_for_balance",
        "payout_retry_scheduled",
        "refund_failed",
        "refund_cancelled",
    }
    assert {*fixed, *open_or_failed, *open_refunds, *waiting} - words == set()


CALL = re.compile(r"(?<![\w.-])escrow ((?:[a-z][a-z-]*\b ?)+)(?=[^a-z:_.]|$)((?:(?!\$\()[^|;&)`\n])*)", re.MULTILINE)
"""The words of a command, and what follows them up to the next command."""
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def test_commands_and_options_in_the_text_exist() -> None:
    known = {" ".join(words): command for words, command in generate.walk_commands(typer.main.get_command(app), ())}
    strange: list[str] = []
    for page in PAGES:
        code = [
            *re.findall(r"`([^`\n]+)`", FENCE.sub("", read(page))),
            *(body for _, _, body in FENCE.findall(read(page))),
        ]
        for line, rest in CALL.findall("\n".join(code).replace("\\\n", " ")):
            words = line.split()
            named = (" ".join(words[:count]) for count in range(len(words), 0, -1))
            command = next((known[name] for name in named if name in known), None)
            options = {option for each in command.params for option in each.opts} if command else set[str]()
            if command is None or not options | {"--help"} >= {*OPTION.findall(rest)}:
                strange.append(f"{page.relative_to(ROOT)}: escrow {line}{rest}")
    assert strange == []


ROUTE = re.compile(r"`((?:GET|POST|PUT|DELETE) /[^`\s?]*)")
PLACE = re.compile(r"\{[^}]*\}|\$[A-Z]+")
"""What stands in a route for an id: its name, or the variable of a shell."""


def test_routes_settings_and_events_in_the_text_exist() -> None:
    routes = {PLACE.sub("{}", route) for route in (*list_routes(), *(" ".join(route) for route in CONTROLS))}
    routes |= {"GET /api/v1/openapi.json", *(route.replace("/api/v1", "") for route in routes)}
    topics = {"toy.opened.v1", *(kind.TOPIC for kind in list_event_kinds())}  # the toy is the format's test vector
    settings = {name.upper() for name in Settings.model_fields}
    strange: list[str] = []
    for page in PAGES:
        text = read(page)
        strange += [route for route in ROUTE.findall(text) if PLACE.sub("{}", route) not in routes]
        strange += [topic for topic in re.findall(r"`([a-z_]+\.[a-z_]+\.v\d+)`", text) if topic not in topics]
        strange += [name for name in re.findall(r"`(ESCROW_[A-Z_]+)`", text) if name not in settings]
    assert strange == []


@pytest.mark.timeout(300)
def test_every_shell_command_of_the_readme_runs_in_order(demo: Demo, tmp_path: Path) -> None:
    """`make run` is running already; the rest is what a reader pastes."""
    assert "make run\n" in list(blocks(ROOT / "README.md", "bash"))
    pasted = (block for block in blocks(ROOT / "README.md", "bash") if block != "make run\n")
    shown = paste(shell_of(demo.environment), tmp_path / "readme.sh", *pasted)
    assert "exit code 3" in shown
    assert "only the buyer sees this" in shown
    assert "\ncompleted\n" in shown
    assert "transaction.payout_succeeded.v1" in shown


def test_the_runbooks_queries_stand_in_the_documentation_word_for_word() -> None:
    shown = "\n".join(body for page in PAGES for body in blocks(page, "sql"))
    assert [query for query in RUNBOOK if query not in shown] == []


def test_every_query_of_the_documentation_answers_the_auditor(demo: Demo) -> None:
    ids: dict[str, str] = demo.facts["transactions"]
    with psycopg.connect(demo.escrow("dsn").stdout.strip()) as connection:
        listing = connection.execute(
            "SELECT listing_id FROM transactions WHERE id = %s", (ids["credentials_released"],)
        ).fetchone()
        assert listing is not None
        for page in PAGES:
            for body in blocks(page, "sql"):
                filled = body.replace("<transaction_id>", f"'{ids['credentials_released']}'")
                filled = filled.replace("<listing_id>", f"'{listing[0]}'")
                for query in filter(str.strip, filled.split(";")):
                    answer = connection.execute(SQL(query))  # pyright: ignore[reportArgumentType] our own pages
                    assert answer.description is not None, page
                    answer.fetchall()


def test_the_runbooks_queries_find_what_they_are_for(demo: Demo) -> None:
    ids: dict[str, str] = demo.facts["transactions"]
    with psycopg.connect(demo.escrow("dsn").stdout.strip()) as connection:
        stuck = connection.execute(SQL(RUNBOOK[3])).fetchall()
        assert ids["stuck"] in {str(row[0]) for row in stuck}
        state = connection.execute(SQL(RUNBOOK[0].replace("<transaction_id>", f"'{ids['stuck']}'"))).fetchone()
        assert state is not None
        assert state[1] == "contract_signed"
        listing = connection.execute(
            "SELECT listing_id FROM transactions WHERE id = %s", (ids["credentials_released"],)
        ).fetchone()
        assert listing is not None
        shown = connection.execute(SQL(RUNBOOK[1].replace("<listing_id>", f"'{listing[0]}'"))).fetchone()
        assert shown is not None
        assert str(shown[1]) == demo.facts["users"]["buyer"]["id"]


def test_the_command_is_where_the_documentation_says() -> None:
    assert os.access(ROOT / ".venv" / "bin" / "escrow", os.X_OK)


def test_every_command_that_is_shown_can_be_pasted() -> None:
    """Nothing but `.venv/bin/escrow` is installed, and a table that is torn apart is no table."""
    for page in sorted(DOCS.rglob("*.md")):
        is_code = False
        lines = ["", *page.read_text(encoding="utf-8").splitlines(), ""]
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
            is_code ^= line.lstrip().startswith("```")
            assert not (is_code and line.lstrip(" $").startswith("escrow ")), f"{page}: {line}"
            begins = line.startswith("|") and not before.startswith("|") and not is_code
            assert not begins or set(after) <= set("|-: "), f"{page}: a table without a head: {line}"
