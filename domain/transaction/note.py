"""Notes of staff, a buyer's recorded statement, and the record that both parties were told."""

from uuid import UUID

from domain.errors import Invalid
from domain.text import is_visible
from domain.transaction.event import TransactionEvent
from domain.transaction.state import TransactionState

NOTE_MAX_LENGTH = 4000


class NoteInvalid(Invalid):
    """A note has 1 to 4000 characters; do not name people in it: it stands in the log for ever."""

    code = "note_invalid"


class NoteAdded(TransactionEvent):
    """Staff wrote down what they did and why; notes are added, never changed."""

    TOPIC = "transaction.note_added.v1"
    IS_REMARK = True
    text: str


class StatementRecorded(TransactionEvent):
    """The buyer stated that he has access; what he wrote stands in the erasable contents."""

    TOPIC = "transaction.statement_recorded.v1"
    VOIDS_REQUESTS = False
    content_id: UUID
    content_sha256: str

    def change(self, transaction: TransactionState) -> None:
        """It is what a forced release before the reveal can rest on."""
        transaction.buyer_statement_at = self.timestamp


class PartiesNotified(TransactionEvent):
    """Somebody was told of something, or could not be."""

    TOPIC = "transaction.parties_notified.v1"
    IS_REMARK = True
    template: str
    channel: str
    user_ids: tuple[UUID, ...]
    outcome: str


def require_note(text: str) -> None:
    """Raise `NoteInvalid` for a note in which nothing can be seen, or an overlong one."""
    if not is_visible(text) or len(text) > NOTE_MAX_LENGTH:
        raise NoteInvalid
