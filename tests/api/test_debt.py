"""What a seller owes after a late refund: paid back, given up, and nobody moves it who may not. And compensation."""

from typing import cast

from tests.api.running import Installation, JsonObject

A = "/api/v1/admin/transactions"
T = "/api/v1/transactions"
REASON = "he has moved and answers no letter"
PAID_BACK = "his transfer is in the balance of 2 November"


def resolve(installation: Installation, transaction: str, finding: str) -> None:
    opened = installation.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "access_lost"})
    dispute = cast("list[JsonObject]", opened["disputes"])[-1]["dispute_id"]
    body = {"finding": finding, "reason": "what both have shown leaves no doubt"}
    installation.people["super_admin"].must(f"{A}/{transaction}/disputes/{dispute}/resolve", body)


def indebted(installation: Installation) -> str:
    """A sale that was paid out and refunded afterwards: the seller owes what he got."""
    transaction = installation.sold()
    installation.confirm(transaction)
    installation.wait(transaction, lambda view: view["state"] == "completed")
    resolve(installation, transaction, "seller")
    installation.wait(transaction, lambda view: view["stuck_reason"] == "awaiting_recovery_from_seller")
    return transaction


def paid_back(amount_minor: int) -> dict[str, object]:
    return {"amount_minor": amount_minor, "reason": PAID_BACK}


def test_what_a_seller_owes_is_paid_back_in_part_and_the_rest_is_given_up(installation: Installation) -> None:
    transaction, chief = indebted(installation), installation.people["super_admin"]
    path = f"{A}/{transaction}"
    for name in ("seller", "admin"):
        assert installation.people[name].post(f"{path}/recovery", paid_back(1)).status_code == 403
    unexplained = chief.post(f"{path}/recovery", {"amount_minor": 30_000})
    assert (unexplained.status_code, unexplained.json()["code"]) == (422, "invalid")
    more = chief.post(f"{path}/write-off", {"amount_minor": 90_001, "reason": REASON})
    assert (more.status_code, more.json()["code"], more.json()["owed_minor"]) == (409, "nothing_owed", 90_000)
    chief.must(f"{path}/recovery?dry_run=true", paid_back(30_000))
    first = chief.post(f"{path}/recovery", paid_back(30_000), key=f"recovery-{transaction}")
    again = chief.post(f"{path}/recovery", paid_back(30_000), key=f"recovery-{transaction}")
    assert (first.status_code, again.content) == (200, first.content)
    assert "write-off" in cast("list[str]", first.json()["allowed_actions"])
    assert chief.post(f"{path}/write-off", {"amount_minor": 60_000, "reason": "short"}).status_code == 422
    done = chief.post(f"{path}/write-off", {"amount_minor": 60_000, "reason": REASON})
    assert (done.status_code, done.json()["stuck_reason"]) == (200, None)

    actions = (
        installation.people["admin"]
        .get("/api/v1/admin/actions", Wait_For_Position=str(installation.head()))
        .json()["items"]
    )
    mine = [
        (each["action"], each["amount_minor"], each["reason"])
        for each in actions
        if each["transaction_id"] == transaction
    ]
    assert mine[:4] == [
        ("write_off", 60_000, REASON),
        ("note", None, REASON),
        ("record_recovery", 30_000, PAID_BACK),
        ("note", None, PAID_BACK),
    ]


def test_compensation_is_paid_when_the_platform_was_at_fault_and_up_to_a_fifth(installation: Installation) -> None:
    chief, faultless, hurt = installation.people["super_admin"], installation.hold(), installation.hold()
    grant = {"amount_minor": 20_001, "reason": "our mail went to the wrong person"}
    early = chief.post(f"{A}/{faultless}/compensation", {**grant, "amount_minor": 1})
    assert early.status_code == 409, early.text
    resolve(installation, hurt, "platform")
    much = chief.post(f"{A}/{hurt}/compensation", grant)
    assert (much.status_code, much.json()["code"]) == (422, "compensation_too_large")
    chief.must(f"{A}/{hurt}/compensation", {**grant, "amount_minor": 20_000})
    assert chief.post(f"{A}/{hurt}/compensation", {**grant, "amount_minor": 1}).status_code == 422
    assert installation.wait(hurt, lambda view: view["state"] == "refunded")["stuck_reason"] is None
