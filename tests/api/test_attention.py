"""What Paystack wants from staff, over HTTP: who may answer, and that nothing secret stands in the log afterwards."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from database.connect import Pool, open_pool
from database.standstill import begin_standstill, resolve_standstill
from tests.api.attention import fault, waiting
from tests.api.running import WIRE, Installation, JsonObject
from tests.permit import always
from tests.reactions.attending import Fatal
from tests.weaknesses.running import read

A = "/api/v1/admin/transactions"
T = "/api/v1/transactions"
OTP = "483920"
TYPED = {"otp": OTP, "reason": "the code came by text message"}


def test_a_super_admin_types_the_password_and_it_is_on_record_without_it(installation: Installation) -> None:
    transaction = waiting(installation)
    path, people = f"{A}/{transaction}/payout/finalize", installation.people
    assert people["admin"].post(path, TYPED).status_code == 403
    chief = people["super_admin"]
    wrong = chief.post(path, {**TYPED, "otp": "48392"}, key="one-intent")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "otp_wrong")
    assert chief.post(path, {**TYPED, "otp": "no digits"}).status_code == 422
    assert installation.view(transaction)["stuck_reason"] == "payout_otp"

    resent = chief.post(f"{A}/{transaction}/payout/resend-otp", {})
    assert (resent.status_code, resent.json()["stuck_reason"]) == (200, "payout_otp")
    assert "finalize-payout" in cast("list[str]", resent.json()["allowed_actions"])
    done = chief.post(path, TYPED, key="one-intent")
    assert (done.status_code, done.json()["state"]) == (200, "completed"), done.text
    again = chief.post(path, {**TYPED, "otp": "000000"}, key="one-intent")
    assert (again.headers["Idempotency-Replayed"], again.content) == ("true", done.content)
    late = chief.post(path, TYPED)
    assert (late.status_code, late.json()["code"]) == (409, "payout_not_awaiting_otp")

    actions = people["admin"].get("/api/v1/admin/actions", Wait_For_Position=str(installation.head())).json()["items"]
    mine = [action["action"] for action in actions if action["transaction_id"] == transaction]
    assert mine == ["finalize_payout", "note", "type_otp", "resend_otp", "order_otp", "note", "type_otp"]
    assert read(installation, "SELECT 1 FROM event_log WHERE data::text LIKE %s", f"%{OTP}%") == []


def transfers(installation: Installation) -> list[JsonObject]:
    return cast("list[JsonObject]", WIRE.get(f"{installation.stand_in.base_url}/_sim/objects").json()["transfers"])


def in_database(installation: Installation, act: Callable[[Pool], Awaitable[None]]) -> None:
    async def connected() -> None:
        async with open_pool(installation.app_dsn, max_size=1, autocommit=True) as pool:
            await act(pool)

    asyncio.run(connected())


def type_after_a_restore(installation: Installation) -> None:
    """Staff have the password, but nobody has asked the processor yet what the log has forgotten."""
    transaction, chief = waiting(installation), installation.people["super_admin"]
    path, before = f"{A}/{transaction}/payout/finalize", transfers(installation)
    assert before[-1]["status"] == "otp"
    in_database(installation, lambda pool: begin_standstill(pool, "restore", "ordered", installation.clock()))
    try:
        refused = chief.post(path, TYPED, key="after-a-restore")
        assert (refused.status_code, refused.json().get("code")) == (503, "log_went_back")
        assert transfers(installation) == before
        assert installation.view(transaction)["stuck_reason"] == "payout_otp"
    finally:
        in_database(installation, lambda pool: resolve_standstill(pool, "restore", installation.clock()))
    done = chief.post(path, TYPED, key="after-a-restore")
    assert (done.status_code, done.json()["state"]) == (200, "completed"), done.text


@pytest.mark.guarantee("G3", faults="staff type a one-time password while a restore is not dealt with")
def test_after_a_restore_the_api_sends_nothing_before_the_processor_was_asked(installation: Installation) -> None:
    type_after_a_restore(installation)


@pytest.mark.guarantee("G3", planted="the API sends money without leave")
def test_an_api_that_asks_nobody_is_found(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(installation.dependencies), "permit", always)
    with pytest.raises(AssertionError, match="log_went_back"):
        type_after_a_restore(installation)


def test_a_dry_run_sends_no_password(installation: Installation) -> None:
    transaction = waiting(installation)
    dry = installation.people["super_admin"].post(f"{A}/{transaction}/payout/finalize?dry_run=true", TYPED)
    assert dry.status_code == 200, dry.text
    assert installation.view(transaction)["stuck_reason"] == "payout_otp"


def test_a_refund_goes_on_to_the_account_that_a_super_admin_gives_though_he_is_cut_off(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction = installation.hold()
    fault(installation, "refund", "needs_attention")
    for name in ("buyer", "seller"):
        installation.people[name].must(f"{T}/{transaction}/cancel", {"reason": "we changed our minds"})
    installation.wait(transaction, lambda view: view["stuck_reason"] == "refund_needs_attention")
    path, chief = f"{A}/{transaction}/refund/account", installation.people["super_admin"]
    account = {"bank_code": "MPESA", "account_number": "0798123987", "reason": "the buyer named an account"}
    version = f'"{chief.get(f"{T}/{transaction}").json()["version"]}"'
    assert installation.people["admin"].post(path, account).status_code == 403
    unknown = chief.post(path, {**account, "bank_code": "NONE"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "bank_unknown")
    assert chief.post(path, account, If_Match='"1"').status_code == 412
    with monkeypatch.context() as patched:
        cut_off = Fatal(installation.dependencies.gateway, "fetch_refund", RuntimeError())
        patched.setitem(vars(installation.dependencies), "gateway", cut_off)
        assert chief.post(path, account, key="send-it-on", If_Match=version).status_code == 500
    given = "SELECT actor FROM event_log WHERE stream = %s AND type = 'transaction.refund_account_given.v1'"
    assert read(installation, given, transaction) == [(str(chief.id),)]
    other = chief.post(path, {**account, "account_number": "0700000000"}, key="send-it-on")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    done = chief.post(path, account, key="send-it-on", If_Match=version)
    assert done.status_code == 200, done.text
    again = chief.post(path, {**account, "account_number": "0700000000"}, key="send-it-on", If_Match=version)
    assert (again.headers["Idempotency-Replayed"], again.content) == ("true", done.content)
    installation.wait(transaction, lambda view: view["state"] == "refunded")
    assert read(installation, "SELECT 1 FROM event_log WHERE data::text LIKE %s", "%0798123987%") == []
