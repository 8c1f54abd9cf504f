"""An escrow transaction: one stream, tracks that are folded from it, a derived phase."""

from datetime import datetime
from uuid import UUID

from domain.actor import Actor
from domain.transaction.actions import allowed_actions, stuck_reason
from domain.transaction.attention import AttentionTrack
from domain.transaction.note import NoteAdded, PartiesNotified, StatementRecorded, require_note


class Transaction(AttentionTrack):
    """Everything a transaction can do. Each track stands in the file of its noun, its events beside it.

    What is folded, one state for all, is in `TransactionState`. The tracks add commands to it in one line from
    `OpeningTrack` to this class, so that each may ask those before it, and none knows those after it.
    """

    TOPIC = "transaction"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Return the names of the commands that `actor` could issue at `at`."""
        return allowed_actions(self, actor, at)

    @property
    def stuck_reason(self) -> str | None:
        """The first unmet precondition of the next step; None when nothing is left to do."""
        return stuck_reason(self)

    def add_note(self, text: str) -> None:
        """Staff write down what they did and why."""
        self.require_staff()
        require_note(text)
        self.record(NoteAdded, text=text)

    def check_statement(self) -> None:
        """Raise unless the buyer can say something about money that is held."""
        self.require_buyer()
        self.require_live()

    def record_statement(self, content_id: UUID, content_sha256: str) -> None:
        """The buyer states that he has access."""
        self.check_statement()
        self.record(StatementRecorded, content_id=content_id, content_sha256=content_sha256)

    def record_notice(self, template: str, channel: str, user_ids: tuple[UUID, ...], outcome: str) -> None:
        """A reaction told somebody, or could not."""
        self.require_system()
        self.record(PartiesNotified, template=template, channel=channel, user_ids=user_ids, outcome=outcome)
