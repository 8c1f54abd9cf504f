"""What `escrow paystack-sim` does: Paystack on this machine, without the internet, with faults on demand."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from cli.home import make_secret_file
from cli.output import say
from cli.stopping import leave_on_sigterm
from database.settings import Settings
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.endpoints import require_place
from gateways.paystack.sim.faults import parse_faults
from gateways.paystack.sim.server import build_sim, run
from gateways.paystack.sim.state import CURRENCIES, Behaviour, Sim


def open_sim(
    secret_file: Path | None, behaviour: Behaviour, *, state_file: Path | None, seed: int | None, time_scale: float
) -> Sim:
    """Return the stand-in with the key of a file, else of the settings, else of ESCROW_HOME."""
    secret = _read_secret(secret_file)
    return build_sim(secret=secret, behaviour=behaviour, state_file=state_file, seed=seed, time_scale=time_scale)


def serve_sim(sim: Sim, port: int, *, balances: Sequence[str], faults: str) -> None:
    """Serve until SIGTERM or Ctrl-C; one line of JSON on stdout says when calls are answered."""
    _add_faults(sim, faults)
    _pay_in(sim, [_read_money(each) for each in balances])
    leave_on_sigterm()
    try:
        run(sim, port, _announce)
    except OSError as error:
        raise typer.BadParameter(f"cannot listen on port {port}: {error.strerror}") from None


def _read_secret(file: Path | None) -> SecretKey:
    """Raise `SecretKeyInvalid` for a key that is none."""
    settings = Settings()
    if file is None and settings.paystack_secret_key is not None:
        return SecretKey(settings.paystack_secret_key.get_secret_value())
    file = file or make_secret_file(settings.escrow_home)
    say(f"the key is in {file}")
    try:
        return SecretKey(file.read_text(encoding="ascii").strip())
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from None


def _add_faults(sim: Sim, words: str) -> None:
    try:
        for fault in parse_faults(words) if words else ():
            sim.faults.add(require_place(fault))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from None


def _read_money(words: str) -> tuple[str, int]:
    currency, _, amount_minor = words.partition("=")
    if currency not in CURRENCIES or not amount_minor.isdecimal():
        raise typer.BadParameter(f"not an amount in {', '.join(CURRENCIES)}: {words}", param_hint="--balance")
    return currency, int(amount_minor)


def _pay_in(sim: Sim, balances: list[tuple[str, int]]) -> None:
    """Only into an account without history: a restart is not a gift."""
    if not sim.store.journal.all():
        for currency, amount_minor in balances:
            sim.move("top_up", "balance", currency, amount_minor, "", 0)
        sim.store.commit()


def _announce(base_url: str) -> None:
    sys.stdout.write(json.dumps({"base_url": base_url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    say(f"a stand-in for Paystack answers at {base_url}; its books are at {base_url}/_sim/audit; Ctrl-C stops it")
