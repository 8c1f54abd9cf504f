"""`escrow paystack-sim`: a stand-in for Paystack."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer()


@app.command(
    "paystack-sim", epilog="Example: escrow paystack-sim --port 8001 --seed 7 --faults chaos --balance KES=1000000"
)
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
    from cli.run.paystack_sim import open_sim, serve_sim
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
    sim = open_sim(secret_file, behaviour, state_file=state_file, seed=seed, time_scale=time_scale)
    serve_sim(sim, port, balances=balance or (), faults=faults)
