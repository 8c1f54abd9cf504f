"""`escrow mail`: what would have been sent where no mail server and no SMS gateway is named."""

from typing import Annotated
from uuid import UUID

import typer

from cli.parse.options import JsonOption, LimitOption

app = typer.Typer(no_args_is_help=True, help="See the messages that nobody carries: without SMTP_URL or SMS_URL.")


@app.command("list", epilog="Example: escrow mail list --to buyer@demo.example")
def list_mail(
    to: Annotated[str | None, typer.Option(help="Only those to this address or number.")] = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List messages in the folder `mail` of ESCROW_HOME, newest first."""
    from cli.run.mail import show_messages

    show_messages(to=to, limit=limit, as_json=as_json)


@app.command(epilog="Example: escrow mail show 0199b2c4-5f07-5c11-9f0e-2f6f3f4f9a01")
def show(
    message_id: Annotated[UUID, typer.Argument(help="The id in the list.")],
    as_json: JsonOption = False,
) -> None:
    """Show one message as its reader would see it."""
    from cli.run.mail import show_message

    show_message(message_id, as_json=as_json)
