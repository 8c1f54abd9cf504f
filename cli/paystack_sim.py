"""What `escrow paystack-sim` does: Paystack on this machine, without the internet, with faults on demand."""

import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.output import say

if TYPE_CHECKING:
    from gateways.paystack.secret import SecretKey
    from gateways.paystack.sim.state import Sim

KEY_FILE = "paystack-key"


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where it listens and what it starts with."""

    port: int
    balances: tuple[str, ...]
    faults: str


def paystack_sim(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0 picks a free one.")] = 8001,
    seed: Annotated[int | None, typer.Option(help="Makes codes and faults the same in every run.")] = None,
    faults: Annotated[str, typer.Option(help="What goes wrong: where:what@rate, or chaos; comma between.")] = "",
    webhook_url: Annotated[str | None, typer.Option(help="Where webhooks go.")] = None,
    approval_url: Annotated[str | None, typer.Option(help="Who is asked before each transfer.")] = None,
    settles_to: Annotated[Literal["balance", "bank"], typer.Option(help="Where charges are paid out to.")] = "balance",
    settle_seconds: Annotated[float, typer.Option(min=0, help="From payment to payout.")] = 0.0,
    settle_every_seconds: Annotated[float, typer.Option(min=0, help="Time between payouts; 0 is at once.")] = 0.0,
    transfer_seconds: Annotated[float, typer.Option(min=0, help="From pending to success.")] = 0.0,
    refund_seconds: Annotated[float, typer.Option(min=0, help="For each step of a refund.")] = 0.0,
    customer_bears_fee: Annotated[bool, typer.Option("--customer-bears-fee", help="Add the fee to charges.")] = False,
    time_scale: Annotated[float, typer.Option(min=0.001, help="Seconds of its time in a real one.")] = 1.0,
    balance: Annotated[list[str] | None, typer.Option(help="To begin with, as KES=100000 in minor units.")] = None,
    state_file: Annotated[Path | None, typer.Option(help="Remember everything here, carry on after a restart.")] = None,
    secret_file: Annotated[Path | None, typer.Option(help="Holds the key sk_test_… (or sk_live_…).")] = None,
) -> None:
    """Stand in for Paystack on this machine: its endpoints, checkout, webhooks, chargebacks and faults. No real money.

    The key comes from --secret-file, else PAYSTACK_SECRET_KEY, else ESCROW_HOME/paystack-key, made when it is missing.
    """
    from gateways.paystack.sim.server import build_sim
    from gateways.paystack.sim.state import Behaviour

    behaviour = Behaviour(
        webhook_url=webhook_url,
        approval_url=approval_url,
        settles_to=settles_to,
        settle_seconds=settle_seconds,
        settle_every_seconds=settle_every_seconds,
        transfer_seconds=transfer_seconds,
        refund_seconds=refund_seconds,
        customer_bears_fee=customer_bears_fee,
    )
    secret = _read_secret(secret_file)
    sim = build_sim(secret=secret, behaviour=behaviour, state_file=state_file, seed=seed, time_scale=time_scale)
    serve(sim, Start(port=port, balances=tuple(balance or ()), faults=faults))


def serve(sim: "Sim", start: Start) -> None:
    """Serve until SIGTERM or Ctrl-C; one line of JSON on stdout says when calls are answered."""
    from gateways.paystack.sim.server import run

    _add_faults(sim, start.faults)
    _pay_in(sim, [_read_money(each) for each in start.balances])
    try:
        run(sim, start.port, _announce)
    except OSError as error:
        raise typer.BadParameter(f"cannot listen on port {start.port}: {error.strerror}") from None


def make_secret_file(home: Path) -> Path:
    """Return the file with the stand-in's key, made with a random one when it is missing."""
    file = home / KEY_FILE
    if not file.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"sk_test_{secrets.token_hex(20)}")
    return file


def _read_secret(file: Path | None) -> "SecretKey":
    """Raise `SecretKeyInvalid` for a key that is none."""
    from database.settings import Settings
    from gateways.paystack.secret import SecretKey

    settings = Settings()
    if file is None and settings.paystack_secret_key is not None:
        return SecretKey(settings.paystack_secret_key.get_secret_value())
    file = file or make_secret_file(settings.escrow_home)
    say(f"the key is in {file}")
    try:
        return SecretKey(file.read_text(encoding="ascii").strip())
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from None


def _add_faults(sim: "Sim", words: str) -> None:
    from gateways.paystack.sim.endpoints import require_place
    from gateways.paystack.sim.faults import parse_faults

    try:
        for fault in parse_faults(words) if words else ():
            sim.faults.add(require_place(fault))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from None


def _read_money(words: str) -> tuple[str, int]:
    from gateways.paystack.sim.state import CURRENCIES

    currency, _, amount_minor = words.partition("=")
    if currency not in CURRENCIES or not amount_minor.isdecimal():
        raise typer.BadParameter(f"not an amount in {', '.join(CURRENCIES)}: {words}", param_hint="--balance")
    return currency, int(amount_minor)


def _pay_in(sim: "Sim", balances: list[tuple[str, int]]) -> None:
    """Only into an account without history: a restart is not a gift."""
    if not sim.store.journal.all():
        for currency, amount_minor in balances:
            sim.move("top_up", "balance", currency, amount_minor, "", 0)
        sim.store.commit()


def _announce(base_url: str) -> None:
    sys.stdout.write(json.dumps({"base_url": base_url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    say(f"a stand-in for Paystack answers at {base_url}; its books are at {base_url}/_sim/audit; Ctrl-C stops it")
