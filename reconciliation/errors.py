"""What reconciliation refuses."""

from domain.errors import EscrowError


class LedgerBehind(EscrowError):
    """The ledger tables are behind the log; run `escrow worker` until they have caught up."""

    code = "ledger_behind"
    status = 503
