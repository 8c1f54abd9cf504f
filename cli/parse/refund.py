"""`escrow refund`: refunds that wait for the buyer's account."""

from typing import Annotated

import typer

from cli.parse.options import JsonOption, ReasonOption, ReferenceOption, TransactionArgument
from cli.parse.typed import read_line

app = typer.Typer(no_args_is_help=True, help="Send refunds on that wait for the buyer's account.")


@app.command(epilog="Example: escrow refund retry 0198c0de-… --bank-code 044 --reason 'The buyer named an account'")
def retry(
    transaction_id: TransactionArgument,
    bank_code: Annotated[str, typer.Option(help="Paystack's code of the buyer's bank, as in payout accounts.")],
    reason: ReasonOption,
    reference: ReferenceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a refund that needs attention to the buyer's account.

    The account's number is asked for, or is the first line of standard input; the log gets a salted hash of it.
    """
    from cli.run.refund import retry_refund
    from identity.payout_account import ACCOUNT_NUMBER
    from reactions.attention import BuyersAccount

    number = read_line("Account number", hide=False)
    if not ACCOUNT_NUMBER.fullmatch(number):
        raise typer.BadParameter("an account number is 5 to 34 letters and digits", param_hint="account number")
    account = BuyersAccount(account_number=number, bank_code=bank_code)
    retry_refund(transaction_id, reference, reason, account, as_json=as_json)
