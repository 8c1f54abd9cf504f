"""Mail in the tests of reactions: letters are kept, and the next ones fail as a test wants them to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from uuid import UUID

from domain.transaction.note import PartiesNotified
from eventstore.log import read_stream
from gateways.mail import Mail, compose
from identity.user import User, verify_email
from reactions.notification import Notifier
from tests.killed import Killed
from tests.reactions.world import START, World


@dataclass
class Post:
    """`failing` is asked before each letter whether to raise something; `killed_after` letters the process dies."""

    letters: list[Mail] = field(default_factory=list)
    failing: Callable[[Mail], Exception | None] = lambda _mail: None
    killed_after: int | None = None

    async def send(self, mail: Mail) -> None:
        """Keep the letter."""
        failure = self.failing(mail)
        if failure is not None:
            raise failure
        self.letters.append(mail)
        if self.killed_after is not None and len(self.letters) >= self.killed_after:
            raise Killed

    def to(self, user: User) -> list[str]:
        """The subjects of what somebody got, in order."""
        return [mail.subject for mail in self.letters if mail.address == user.email]

    def messages(self) -> list[EmailMessage]:
        """What was sent, as it went out."""
        return [compose(mail, "escrow@escrow.example") for mail in self.letters]


async def open_post(world: World, post: Post, *, verified: bool = True) -> Notifier:
    """Everybody has shown that the mailbox is theirs; nobody has been told anything yet."""
    if verified:
        async with world.pool.connection() as connection:
            for user in (world.buyer, world.seller):
                await verify_email(connection, user.id, START)
    notifier = Notifier(world.tools, post.send)
    await notifier.begin()
    return notifier


async def deliver(notifier: Notifier) -> None:
    """Queue, send and record everything that is due."""
    await notifier.queue_new()
    while await notifier.send_due():
        pass
    await notifier.record_told()


async def told_in_log(world: World, transaction_id: UUID) -> list[PartiesNotified]:
    """What the log says of telling people."""
    events = await read_stream(world.pool, transaction_id)
    return [event.event for event in events if isinstance(event.event, PartiesNotified)]
