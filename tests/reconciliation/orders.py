"""What `escrow ledger record` is told by the words that a difference shows."""

from collections.abc import Iterator

from domain.money import Currency, Money
from domain.treasury import MoveFunds, Movement


def read_orders(commands: str) -> Iterator[MoveFunds]:
    """Each command of the line, as what it orders."""
    for command in commands.split(" && "):
        words, evidence = command.split('"')[:2]
        options = words.split()
        assert options[:3] == ["escrow", "ledger", "record"], command
        amount = Money(int(options[7]), Currency(options[5]))
        yield MoveFunds(movement=Movement(options[3]), amount=amount, evidence=evidence)
