"""Making the stand-in Paystack want something from staff."""

from tests.api.running import WIRE, Installation


def fault(installation: Installation, endpoint: str, kind: str) -> None:
    body = {"endpoint": endpoint, "kind": kind}
    assert WIRE.post(f"{installation.stand_in.base_url}/_sim/faults", json=body).status_code == 201


def waiting(installation: Installation) -> str:
    """A sale whose payout waits for a one-time password."""
    transaction = installation.sold()
    fault(installation, "transfer", "otp")
    installation.confirm(transaction)
    installation.wait(transaction, lambda view: view["stuck_reason"] == "payout_otp")
    return transaction
