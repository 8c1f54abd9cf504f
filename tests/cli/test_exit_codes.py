"""What a script can tell from the exit code alone."""

from collections.abc import Callable, Generator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from cli.failure import CODES, exit_code_of
from cli.rates import RatesInvalid
from cli.wiring import SecretMissing
from database.errors import DatabaseUnavailable
from database.settings import SettingInvalid
from domain.errors import (
    EscrowError,
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    NotFound,
    PreconditionFailed,
    Refused,
    StillRunning,
    VersionConflict,
)
from eventstore.log import MissingPosition
from eventstore.transcoder import Undecodable
from gateways.errors import BaseUrlUnsafe, GatewayUnavailable
from gateways.objects import FileUnavailable, StorageUnavailable
from gateways.paystack.secret import SecretKeyInvalid
from projections.checkpoint import NotInstalled
from reactions.erasure import ErasureUndecided
from reactions.watermark import LogWentBack
from reconciliation.ledger import LedgerBehind
from replay.damage import Damage
from tests.escrow_command import environment_of, run_escrow
from tests.home import own_home
from tests.running_demo import Demo
from vault.pepper import PepperMissing
from vault.pepper_backup import BackupIncomplete
from vault.pepper_rotation import RotationUnfinished
from vault.sealing import SealBroken

NOBODY = UUID(int=1)


@pytest.fixture
def home() -> Generator[Path]:
    """A home in which nothing has ever run."""
    with own_home("escrow-demo-") as made:
        yield made


REFUSALS = [
    (EscrowError(), 1),
    (Invalid(), 2),
    (SecretMissing(setting="PAYSTACK_SECRET_KEY"), 4),
    (RatesInvalid(file="rates.json"), 4),
    (SecretKeyInvalid(), 4),
    (BaseUrlUnsafe(), 4),
    (NotFound(), 5),
    (VersionConflict(), 6),
    (PreconditionFailed(), 6),
    (IdempotencyMismatch(), 6),
    (StillRunning(), 6),
    (Damage(), 3),
    (Undecodable(), 3),
    (MissingPosition(), 3),
    (SealBroken(), 3),
    (DatabaseUnavailable(), 4),
    (PepperMissing(), 4),
    (SettingInvalid(), 4),
    (GatewayUnavailable(), 4),
    (LedgerBehind(), 4),
    (NotInstalled(), 4),
    (ErasureUndecided(), 4),
    (LogWentBack(), 4),
    (StorageUnavailable(), 4),
    (FileUnavailable(), 4),
    (BackupIncomplete(), 9),
    (RotationUnfinished(), 9),
    (Forbidden(), 9),
    (Refused(), 9),
]


@pytest.mark.parametrize(("error", "code"), REFUSALS, ids=lambda value: getattr(value, "code", value))
def test_a_kind_of_refusal_has_its_exit_code(error: EscrowError, code: int) -> None:
    assert exit_code_of(error) == code


def test_every_kind_that_has_an_exit_code_is_among_them() -> None:
    assert [kind for kind, _ in CODES if not any(isinstance(error, kind) for error, _ in REFUSALS)] == []


@pytest.mark.parametrize(
    "words",
    [
        ["unheard-of"],
        ["tx", "show", "no-uuid"],
        ["tx", "list", "--limit", "0"],
        ["dsn", "--role", "king"],
        ["demo", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_why_on_stderr(words: list[str], home: Path) -> None:
    done = run_escrow(words, environment_of(home))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_a_reason_for_lifting_without_what_is_to_be_lifted_stops_nothing(home: Path) -> None:
    done = run_escrow(["restored", "--reason", "the seller has sent it back"], environment_of(home))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lift_missing: ")
    assert list(home.iterdir()) == [], "a database was made for nothing"


def test_a_database_that_does_not_run_ends_with_4_and_says_how_to_start_it(home: Path) -> None:
    done = run_escrow(["dsn"], environment_of(home))
    assert (done.returncode, done.stdout) == (4, "")
    assert "escrow demo" in done.stderr


def test_an_unreachable_server_of_ones_own_ends_with_4(home: Path) -> None:
    environment = {**environment_of(home), "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    done = run_escrow(["migrate"], environment)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr


def test_a_secret_in_an_unreachable_address_is_not_shown(home: Path) -> None:
    environment = {**environment_of(home), "DATABASE_URL": "postgresql://nobody:hunter2@127.0.0.1:1/nothing"}
    done = run_escrow(["migrate"], environment)
    assert "hunter2" not in done.stderr + done.stdout


@pytest.fixture(params=["serve", "worker"])
def refused(request: pytest.FixtureRequest, home: Path) -> Callable[..., str]:
    """Start a process of the product with these settings; return the one line with which it refuses to."""

    def start(**settings: str) -> str:
        done = run_escrow([request.param], {**environment_of(home), **settings})
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1), done.stderr
        assert list(home.iterdir()) == [], "a database was made for nothing"
        return done.stderr

    return start


@pytest.mark.guarantee("G28", faults="the processor's key is malformed")
def test_a_malformed_secret_key_is_refused_at_the_start(refused: Callable[..., str]) -> None:
    said = refused(PAYSTACK_SECRET_KEY="pk_test_canary")
    assert said.startswith("paystack_secret_key_invalid: PAYSTACK_SECRET_KEY ")
    assert "canary" not in said


def test_an_unfit_address_of_the_processor_is_refused_at_the_start(refused: Callable[..., str]) -> None:
    said = refused(PAYSTACK_SECRET_KEY="sk_test_0123456789", PAYSTACK_BASE_URL="http://canary.example")
    assert said.startswith("paystack_base_url_unsafe: PAYSTACK_BASE_URL ")
    assert "canary" not in said


def test_an_unknown_transaction_ends_with_5(demo: Demo) -> None:
    done = demo.escrow("tx", "show", str(NOBODY))
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("not_found: ")


def test_an_unknown_read_model_ends_with_5(demo: Demo) -> None:
    assert demo.escrow("replay", "verify", "-p", "unheard_of").returncode == 5


def test_damage_ends_with_3_and_a_rebuild_mends_it(demo: Demo) -> None:
    assert demo.escrow("replay", "diff", "-p", "transactions").returncode == 0
    with psycopg.connect(demo.escrow("dsn", "--role", "owner").stdout.strip()) as connection:
        connection.execute("UPDATE transactions SET held_minor = held_minor + 1 WHERE state = 'completed'")
    found = demo.escrow("replay", "diff", "-p", "transactions")
    assert found.returncode == 3, found.stderr
    assert "held_minor" in found.stdout
    assert demo.escrow("replay", "rebuild", "-p", "transactions", "--yes").returncode == 0
    assert demo.escrow("replay", "diff", "-p", "transactions").returncode == 0
