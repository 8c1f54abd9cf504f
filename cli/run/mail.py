"""What `escrow mail` does: it reads the folder that stands in for the networks."""

from uuid import UUID

from cli.home import message_folder
from cli.output import print_json, print_table, say, show_plainly
from database.settings import Settings
from gateways.outbox import Kept, find_message, list_messages

COLUMNS = ("at", "channel", "address", "subject", "id")
MOST_READ = 100_000


def show_messages(*, to: str | None, limit: int, as_json: bool) -> None:
    """Print the newest messages."""
    settings = Settings()
    found = list_messages(message_folder(settings.escrow_home), limit if to is None else MOST_READ)
    shown = [kept for kept in found if to is None or kept.address.casefold() == to.casefold()][:limit]
    if as_json:
        print_json({"messages": [_row(kept) for kept in shown]})
        return
    if settings.smtp_url is not None:
        say("SMTP_URL is set: mail goes there, and this folder is not written to")
    print_table([_row(kept) for kept in shown], COLUMNS)


def show_message(message_id: UUID, *, as_json: bool) -> None:
    """Print one message. Raises NotFound."""
    kept = find_message(message_folder(Settings().escrow_home), message_id)
    if as_json:
        print_json({**_row(kept), "text": kept.text, "html": kept.html})
        return
    heading = f"To: {kept.address}\nDate: {kept.at:%Y-%m-%d %H:%M:%S} UTC\nSubject: {kept.subject}\n"
    print(show_plainly(f"{heading}\n{kept.text}"))


def _row(kept: Kept) -> dict[str, object]:
    return {
        "id": kept.id,
        "at": kept.at,
        "channel": kept.channel,
        "address": kept.address,
        "subject": kept.subject or kept.text,
    }
