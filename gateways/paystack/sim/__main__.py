"""`python -m gateways.paystack.sim`: the stand-in as a process. Prints one line of JSON when it answers calls."""

import argparse
import json
import os
import sys
from pathlib import Path

from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.parent import die_with_parent
from gateways.paystack.sim.server import build_sim, run
from gateways.paystack.sim.state import CURRENCIES, Behaviour, Sim


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, serve until SIGTERM, SIGINT or the death of the parent."""
    options = _parser().parse_args(arguments)
    die_with_parent()
    sim = build_sim(
        secret=SecretKey(options.secret_file.read_text(encoding="ascii").strip()),
        behaviour=Behaviour(
            webhook_url=options.webhook_url,
            settle_seconds=options.settle_seconds,
            transfer_seconds=options.transfer_seconds,
            refund_seconds=options.refund_seconds,
        ),
        state_file=options.state_file,
        seed=options.seed,
        time_scale=options.time_scale,
    )
    _pay_in(sim, options.opening_balance)
    run(sim, options.port, _announce)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateways.paystack.sim", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes any free one")
    parser.add_argument("--secret-file", type=Path, required=True, help="holds the secret key, sk_test_… or sk_live_…")
    parser.add_argument("--webhook-url", help="where webhooks go; without one they count as unanswered")
    parser.add_argument("--state-file", type=Path, help="remember everything here and carry on after a restart")
    parser.add_argument("--opening-balance", action="append", default=[], metavar="KES=100000", type=_money)
    parser.add_argument("--settle-seconds", type=float, default=0.0, help="from payment to available balance")
    parser.add_argument("--transfer-seconds", type=float, default=0.0, help="from pending to success; 0 is at once")
    parser.add_argument("--refund-seconds", type=float, default=0.0, help="for each step of a refund")
    parser.add_argument("--time-scale", type=float, default=1.0, help="seconds of its time in a real second")
    parser.add_argument("--seed", type=int, help="makes the codes it hands out reproducible")
    return parser


def _money(value: str) -> tuple[str, int]:
    currency, _, amount_minor = value.partition("=")
    if currency not in CURRENCIES:
        raise argparse.ArgumentTypeError(f"not one of {', '.join(CURRENCIES)}: {currency}")
    return currency, int(amount_minor)


def _pay_in(sim: Sim, opening: list[tuple[str, int]]) -> None:
    """Only into an account without history: a restart is not a gift."""
    if not sim.store.journal.all():
        for currency, amount_minor in opening:
            sim.move("top_up", "balance", currency, amount_minor, "", 0)
        sim.store.commit()


def _announce(base_url: str) -> None:
    sys.stdout.write(json.dumps({"base_url": base_url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
