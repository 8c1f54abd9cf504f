"""`escrow payout`: payouts that wait for a one-time password."""

from typing import Annotated

import typer

from cli.parse.options import JsonOption, ReasonOption, ReferenceOption, TransactionArgument
from cli.parse.typed import read_line

app = typer.Typer(no_args_is_help=True, help="Finish payouts that wait for a one-time password.")


@app.command(epilog="Example: escrow payout finalize 0198c0de-… --reason 'The code came by text message'")
def finalize(
    transaction_id: TransactionArgument,
    reason: ReasonOption,
    reference: ReferenceOption = None,
    _otp: Annotated[
        bool, typer.Option("--otp", help="Read the one-time password, as it does anyway: it is never an argument.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Type the one-time password that Paystack wants for a payout.

    It is asked for, or is the first line of standard input.
    """
    from cli.run.payout import finalize_payout

    finalize_payout(transaction_id, reference, reason, _read_otp(), as_json=as_json)


@app.command("resend-otp", epilog="Example: escrow payout resend-otp 0198c0de-…")
def resend_otp(
    transaction_id: TransactionArgument, reference: ReferenceOption = None, as_json: JsonOption = False
) -> None:
    """Have Paystack send the one-time password again."""
    from cli.run.payout import resend

    resend(transaction_id, reference, as_json=as_json)


def _read_otp() -> str:
    """Raise `typer.BadParameter`, which does not repeat what was typed."""
    from reactions.attention import OTP

    otp = read_line("One-time password", hide=True)
    if not OTP.fullmatch(otp):
        raise typer.BadParameter("a one-time password is 4 to 10 digits", param_hint="--otp")
    return otp
