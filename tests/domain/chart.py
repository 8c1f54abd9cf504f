"""The accounts, as an independent reader of the log names them, and how he says that the ledger is wrong."""

HELD, PAYABLE, RESERVE = "escrow:held", "seller:payable", "seller:reserve"
IN_FLIGHT, REFUND_DUE, COMPENSATION_DUE = "payout:in_flight", "buyer:refund_due", "buyer:compensation_due"
STRAY, TAX, FEE, SURCHARGE = (
    "suspense:unmatched_receipts",
    "tax:payable",
    "revenue:platform_fee",
    "revenue:fee_surcharge",
)
UNCLEARED, BALANCE = "paystack:uncleared", "paystack:balance"
TRANSFERS, REFUNDS = "paystack:transfers_in_transit", "paystack:refunds_in_transit"
DEBT, LOSSES, COMPENSATION = "receivable:seller", "expense:losses", "expense:compensation"
RECOVERIES = "clearing:recoveries"
CHARGE_FEE, TRANSFER_FEE = "expense:processor_charge_fee", "expense:processor_transfer_fee"
PER_TRANSACTION = (HELD, PAYABLE, RESERVE, IN_FLIGHT, REFUND_DUE, COMPENSATION_DUE, TRANSFERS, REFUNDS)
SOURCE = {"seller": PAYABLE, "refund": REFUND_DUE, "compensation": COMPENSATION_DUE}
WHOLE = 10_000
OPEN = ("new", "uncertain", "sent")
GONE = ("uncertain", "sent")
LOOKED_AT = ("gateway_outcome_mismatched", "gateway_refund_ambiguous")


class Wrong(AssertionError):
    """The ledger does not do what the table says."""


def need(truth: object, *why: object) -> None:
    """Raise `Wrong` unless it is true."""
    if not truth:
        raise Wrong(*why)
