"""The demo's story: one transaction driven into each phase through the real API, as people would."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from cli.demo.person import DemoFailed, Person, has_contract, is_in, part

CURRENCY = "KES"
PRICE_MINOR = 2_500_000
HIGH_PRICE_MINOR = 15_000_000
STATEMENT = "I have signed in and changed the password."


@dataclass(frozen=True, kw_only=True)
class Players:
    """Who plays, and the stand-in's panel, where buyers pay."""

    buyer: Person
    seller: Person
    admin: Person
    panel: httpx.AsyncClient


async def prepare(players: Players) -> None:
    """Seller and buyer say where they are paid."""
    for person, number in ((players.seller, "0712345678"), (players.buyer, "0798765432")):
        account = {
            "type": "mobile_money",
            "bank_code": "MPESA",
            "account_number": number,
            "account_name": "Demo",
            "currency": CURRENCY,
        }
        await person.send("PUT", "/users/me/payout-account", account)


async def open_one(players: Players, title: str, price_minor: int = PRICE_MINOR) -> str:
    """The seller lists and deposits, staff approve, the buyer opens a transaction."""
    price = {"amount_minor": price_minor, "currency": CURRENCY}
    text = {"title": title, "description": "Sold with its e-mail address.", "price": price}
    listing = await players.seller.send("POST", "/listings", text)
    path = f"/listings/{listing['id']}"
    credentials = {"username": "demo", "password": "a secret of the seller", "note": "change it at once"}
    await players.seller.send("PUT", f"{path}/credentials", {"credentials": credentials})
    await players.seller.send("POST", f"{path}/submit")
    await players.admin.send("POST", f"/admin/listings/{listing['id']}/approve")
    transaction = await players.buyer.send("POST", "/transactions", {"listing_id": listing["id"]})
    return str(transaction["id"])


async def hold(players: Players, title: str, price_minor: int = PRICE_MINOR) -> str:
    """The buyer pays on the stand-in's page; the webhook and a GET bring the money into escrow."""
    transaction_id = await open_one(players, title, price_minor)
    await pay(players, transaction_id)
    await players.buyer.wait_for(transaction_id, has_contract)
    return transaction_id


async def pay(players: Players, transaction_id: str) -> None:
    """Open the payment page and press its button."""
    page = await players.buyer.send("POST", f"/transactions/{transaction_id}/pay")
    answer = await players.panel.post(str(page["authorization_url"]), json={"outcome": "success"})
    if not answer.is_success:
        raise DemoFailed(asked="payment page", status=answer.status_code)


async def sign(players: Players, title: str, price_minor: int = PRICE_MINOR) -> str:
    """Both sign; the seller's password hands the key of the credentials to the buyer."""
    transaction_id = await hold(players, title, price_minor)
    await sign_both(players, transaction_id)
    return transaction_id


async def sign_both(players: Players, transaction_id: str) -> None:
    """Sign for both parties what the contract says."""
    contract = part(await players.buyer.wait_for(transaction_id, has_contract), "contract")
    body = {"content_sha256": contract["sha256"], "legal_name": "Demo Buyer"}
    await players.buyer.send("POST", f"/transactions/{transaction_id}/contract/sign", body)
    body = {**body, "legal_name": "Demo Seller", "password": players.seller.password}
    await players.seller.send("POST", f"/transactions/{transaction_id}/contract/sign", body)


async def reveal(players: Players, title: str) -> str:
    """The buyer sees the credentials, once."""
    transaction_id = await sign(players, title)
    path = f"/transactions/{transaction_id}/reveal"
    await players.buyer.send("POST", path, {"password": players.buyer.password})
    await players.buyer.send("POST", f"{path}/acknowledge")
    return transaction_id


async def confirm(players: Players, title: str) -> str:
    """The buyer accepts; the payout is ordered."""
    transaction_id = await reveal(players, title)
    await players.buyer.send("POST", f"/transactions/{transaction_id}/confirm-access", {"statements": [STATEMENT]})
    return transaction_id


async def complete(players: Players, title: str) -> str:
    """The seller is paid."""
    transaction_id = await confirm(players, title)
    await players.buyer.wait_for(transaction_id, is_in("completed"))
    return transaction_id


async def call_off(players: Players, title: str) -> str:
    """Both call the sale off before anything is shown; the buyer gets everything back."""
    transaction_id = await hold(players, title)
    for person in (players.buyer, players.seller):
        await person.send("POST", f"/transactions/{transaction_id}/cancel", {"reason": "we changed our minds"})
    await players.buyer.wait_for(transaction_id, is_in("refunded"))
    return transaction_id


async def dispute(players: Players, title: str) -> str:
    """The buyer says that the credentials do not work."""
    transaction_id = await reveal(players, title)
    body = {"category": "not_working", "statement": "The password is refused."}
    await players.buyer.send("POST", f"/transactions/{transaction_id}/disputes", body)
    return transaction_id


async def fail_payout(players: Players, title: str) -> str:
    """The processor refuses the transfer."""
    await players.panel.post("/_sim/faults", json={"endpoint": "transfer", "kind": "refuse", "times": 1})
    transaction_id = await confirm(players, title)
    await players.buyer.wait_for(transaction_id, is_in("payout_failed"))
    return transaction_id


async def cancel(players: Players, title: str) -> str:
    """The buyer does not pay and cancels."""
    transaction_id = await open_one(players, title)
    await players.buyer.send("POST", f"/transactions/{transaction_id}/cancel")
    return transaction_id


CHAPTERS: Final[Mapping[str, tuple[Callable[[Players, str], Awaitable[str]], str]]] = {
    "pending": (open_one, "A football manager account"),
    "funds_held": (hold, "A chess account"),
    "contract_signed": (sign, "A newsletter with 4,000 readers"),
    "credentials_released": (reveal, "A photo channel"),
    "completed": (complete, "A cooking channel"),
    "refunded": (call_off, "A travel blog"),
    "disputed": (dispute, "A racing account"),
    "payout_failed": (fail_payout, "A music page"),
    "cancelled": (cancel, "A puzzle account"),
}
"""How a transaction comes into each phase, and what is sold in it."""
