"""`escrow payout` and `escrow refund`: payouts and refunds that wait for a person."""

import re
import sys
from typing import Annotated
from uuid import UUID

import typer

from cli.options import JsonOption

app = typer.Typer(no_args_is_help=True, help="Finish payouts that wait for a one-time password.")

refunds = typer.Typer(no_args_is_help=True, help="Send refunds on that wait for the buyer's account.")

OTP = re.compile(r"[0-9]{4,10}", re.ASCII)
ACCOUNT = re.compile(r"\+?[A-Za-z0-9]{5,34}", re.ASCII)

TransactionId = Annotated[UUID, typer.Argument(help="The transaction's id.")]
Reference = Annotated[str | None, typer.Option(help="Which one, where several wait; else the first.")]
Reason = Annotated[str, typer.Option(help="Why; 10 characters or more. It stands in the log for ever.")]


@app.command(epilog="Example: escrow payout finalize 0198c0de-… --reason 'The code came by text message'")
def finalize(
    transaction_id: TransactionId,
    reason: Reason,
    reference: Reference = None,
    _otp: Annotated[
        bool, typer.Option("--otp", help="Read the one-time password, as it does anyway: it is never an argument.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Type the one-time password that Paystack wants for a payout.

    It is asked for, or is the first line of standard input.
    """
    from cli.attending import finalize_payout

    finalize_payout(transaction_id, reference, reason, _read_otp(), as_json=as_json)


@app.command("resend-otp", epilog="Example: escrow payout resend-otp 0198c0de-…")
def resend_otp(transaction_id: TransactionId, reference: Reference = None, as_json: JsonOption = False) -> None:
    """Have Paystack send the one-time password again."""
    from cli.attending import resend

    resend(transaction_id, reference, as_json=as_json)


@refunds.command(epilog="Example: escrow refund retry 0198c0de-… --bank-code 044 --reason 'The buyer named an account'")
def retry(
    transaction_id: TransactionId,
    bank_code: Annotated[str, typer.Option(help="Paystack's code of the buyer's bank, as in payout accounts.")],
    reason: Reason,
    reference: Reference = None,
    as_json: JsonOption = False,
) -> None:
    """Send a refund that needs attention to the buyer's account.

    The account's number is asked for, or is the first line of standard input; the log gets a salted hash of it.
    """
    from cli.attending import retry_refund
    from reactions.attention import BuyersAccount

    number = _read("Account number", hide=False)
    if not ACCOUNT.fullmatch(number):
        raise typer.BadParameter("an account number is 5 to 34 letters and digits", param_hint="account number")
    account = BuyersAccount(account_number=number, bank_code=bank_code)
    retry_refund(transaction_id, reference, reason, account, as_json=as_json)


def _read_otp() -> str:
    """Raise `typer.BadParameter`, which does not repeat what was typed."""
    otp = _read("One-time password", hide=True)
    if not OTP.fullmatch(otp):
        raise typer.BadParameter("a one-time password is 4 to 10 digits", param_hint="--otp")
    return otp


def _read(what: str, *, hide: bool) -> str:
    """From whoever sits there, else the first line of standard input: arguments stand in the list of processes."""
    answer: str = typer.prompt(what, hide_input=hide) if sys.stdin.isatty() else sys.stdin.readline()
    return answer.strip()
