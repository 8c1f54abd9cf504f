"""A seller, a buyer and a stranger with keys, and one deposit granted to seller and buyer."""

from dataclasses import dataclass
from random import Random
from uuid import UUID

import pytest

from vault.deposit import Document, SealedDeposit, make_document, seal_document
from vault.grant import Grant, grant_custody, hand_over
from vault.keypair import KeyPairRecord, PublicKey, generate_private_key, get_public_key, wrap_private_key
from vault.pepper import Pepper
from vault.secret import Secret

PLAINTEXT = "canary-hunter2-äß"


def make_id(number: int) -> UUID:
    """A recognisable id."""
    return UUID(int=(0x7 << 76) | (0x2 << 62) | number)


@dataclass(frozen=True)
class Person:
    """Somebody, with everything that only a running sign-in would have."""

    id: UUID
    unlock_key: Secret
    private_key: Secret
    public_key: PublicKey
    record: KeyPairRecord


@dataclass(frozen=True)
class Scene:
    """What the tests look at."""

    pepper: Pepper
    seller: Person
    buyer: Person
    stranger: Person
    transaction_id: UUID
    document: Document
    deposit: SealedDeposit
    key: Secret
    custody: Grant
    delivery: Grant


def _make_person(number: int, pepper: Pepper, random: Random) -> Person:
    unlock_key, private_key = Secret(random.randbytes(32)), generate_private_key(random.randbytes)
    record = wrap_private_key(
        private_key,
        user_id=make_id(number),
        key_version=1,
        unlock_key=unlock_key,
        pepper=pepper,
        random_bytes=random.randbytes,
    )
    return Person(make_id(number), unlock_key, private_key, get_public_key(private_key), record)


@pytest.fixture(scope="session")
def scene() -> Scene:
    """Made from a fixed seed."""
    random = Random(20261123)
    pepper = Pepper({1: Secret(random.randbytes(32)), 2: Secret(random.randbytes(32))})
    seller, buyer, stranger = (_make_person(number, pepper, random) for number in (1, 2, 3))
    document = make_document({"username": "shop", "password": PLAINTEXT}, random.randbytes)
    deposit, key = seal_document(
        document, listing_id=make_id(10), deposit_id=make_id(11), version=1, random_bytes=random.randbytes
    )
    custody = grant_custody(key, deposit, seller_id=seller.id, seller_key=seller.public_key)
    delivery = hand_over(
        custody,
        deposit,
        seller_private_key=seller.private_key,
        transaction_id=make_id(12),
        buyer_id=buyer.id,
        buyer_key=buyer.public_key,
    )
    return Scene(pepper, seller, buyer, stranger, make_id(12), document, deposit, key, custody, delivery)
