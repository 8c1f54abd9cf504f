"""Which endpoint of Paystack is which function here, and its name for faults. The first that fits is called."""

from collections.abc import Mapping

from gateways.paystack.sim import (
    balances,
    banks,
    bulk,
    charges,
    dispute_answers,
    integration,
    recipients,
    refunds,
    settlements,
    transfers,
)
from gateways.paystack.sim.calls import Endpoint
from gateways.paystack.sim.faults import Fault

ENDPOINTS: Mapping[tuple[str, str], tuple[str, Endpoint]] = {
    ("POST", "/transaction/initialize"): ("initialize", charges.initialize),
    ("GET", "/transaction/verify/{reference}"): ("verify", charges.verify),
    ("GET", "/transaction/totals"): ("totals", charges.totals),
    ("GET", "/transaction/{id}"): ("fetch_charge", charges.fetch),
    ("GET", "/transaction"): ("list_charges", charges.list_charges),
    ("POST", "/transferrecipient"): ("recipient", recipients.create),
    ("GET", "/transferrecipient/{code}"): ("fetch_recipient", recipients.fetch),
    ("PUT", "/transferrecipient/{code}"): ("update_recipient", recipients.update),
    ("DELETE", "/transferrecipient/{code}"): ("delete_recipient", recipients.delete),
    ("GET", "/transferrecipient"): ("list_recipients", recipients.list_recipients),
    ("POST", "/transfer"): ("transfer", transfers.initiate),
    ("POST", "/transfer/finalize_transfer"): ("finalize_transfer", transfers.finalize),
    ("POST", "/transfer/resend_otp"): ("resend_otp", transfers.resend_otp),
    ("POST", "/transfer/enable_otp"): ("enable_otp", integration.enable_otp),
    ("POST", "/transfer/disable_otp"): ("disable_otp", integration.ask_to_disable_otp),
    ("POST", "/transfer/disable_otp_finalize"): ("disable_otp_finalize", integration.disable_otp),
    ("POST", "/transfer/bulk"): ("bulk_transfer", bulk.initiate),
    ("GET", "/transfer/verify/{reference}"): ("verify_transfer", transfers.verify),
    ("GET", "/transfer/{code}"): ("fetch_transfer", transfers.fetch),
    ("GET", "/transfer"): ("list_transfers", transfers.list_transfers),
    ("POST", "/refund"): ("refund", refunds.create),
    ("POST", "/refund/retry_with_customer_details/{id}"): ("retry_refund", refunds.retry),
    ("GET", "/refund/{id}"): ("fetch_refund", refunds.fetch),
    ("GET", "/refund"): ("list_refunds", refunds.list_refunds),
    ("GET", "/balance"): ("balance", balances.balances),
    ("GET", "/balance/ledger"): ("balance_ledger", balances.balance_ledger),
    ("GET", "/bank"): ("bank", banks.list_banks),
    ("GET", "/bank/resolve"): ("resolve_account", banks.resolve_account),
    ("GET", "/settlement"): ("list_settlements", settlements.list_settlements),
    ("GET", "/settlement/{id}/transactions"): ("settled_charges", settlements.list_settled_charges),
    ("GET", "/integration/payment_session_timeout"): ("read_session_timeout", integration.read_session_timeout),
    ("PUT", "/integration/payment_session_timeout"): ("session_timeout", integration.change_session_timeout),
    ("GET", "/dispute"): ("list_disputes", dispute_answers.list_disputes),
    ("GET", "/dispute/transaction/{id}"): ("disputes_of_transaction", dispute_answers.of_transaction),
    ("GET", "/dispute/{id}/upload_url"): ("upload_url", dispute_answers.open_upload),
    ("POST", "/dispute/{id}/evidence"): ("evidence", dispute_answers.add_evidence),
    ("PUT", "/dispute/{id}/resolve"): ("resolve_dispute", dispute_answers.resolve),
    ("GET", "/dispute/{id}"): ("fetch_dispute", dispute_answers.fetch),
    ("PUT", "/dispute/{id}"): ("update_dispute", dispute_answers.update),
}

PLACES = frozenset({"*", "checkout", "charge", "dispute", "webhook", *(name for name, _ in ENDPOINTS.values())})


def require_place(fault: Fault) -> Fault:
    """Return the fault; raise ValueError where nothing is called as it says: a test would test nothing."""
    if fault.endpoint not in PLACES:
        raise ValueError(f"unknown endpoint {fault.endpoint}; known: {', '.join(sorted(PLACES))}")
    return fault
