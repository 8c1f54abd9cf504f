"""The books, now or as of a position of the log."""

from api.reads.reading import Reader
from api.reads.waiting import wait_for_position
from api.views.ledger import AccountItem, AccountsView, TrialBalanceItem, TrialBalanceView
from projections.ledger import LEDGER, list_accounts, list_trial_balances


async def read_accounts(reader: Reader) -> AccountsView:
    """Return every account."""
    position = await find_folded_position(reader)
    rows = await list_accounts(reader.dependencies.pool, as_of=position)
    return AccountsView(items=[AccountItem.of(row) for row in rows])


async def read_trial_balance(reader: Reader) -> TrialBalanceView:
    """Return the books of every currency."""
    position = await find_folded_position(reader)
    books = await list_trial_balances(reader.dependencies.pool, as_of=position)
    return TrialBalanceView(items=[TrialBalanceItem.of(each) for each in books], as_of=position)


async def find_folded_position(reader: Reader) -> int | None:
    """Return the position that `as_of` names once the ledger has reached it: before that its sums would be too small.

    Raises QueryInvalid, and PositionNotReached after five seconds.
    """
    position = await reader.past_position()
    if position is not None:
        await wait_for_position(reader.dependencies, position, LEDGER.name)
    return position
