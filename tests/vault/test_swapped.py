"""Ciphertexts, grants and keys in another row than their own: two of everything, every exchange tried, none opens.

Whoever can write rows can put any record anywhere. Each is bound to its listing, deposit, transaction, version, purpose
and person, so that what was moved opens for nobody.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import permutations
from random import Random

import pytest

import vault.deposit
import vault.grant
import vault.keypair
from domain.errors import EscrowError
from tests.vault.conftest import Person, Scene, make_id
from vault.deposit import SealedDeposit, make_document, open_deposit, seal_document
from vault.grant import Grant, grant_custody, grant_delivery, open_grant
from vault.keypair import unwrap_private_key
from vault.pepper import Pepper
from vault.secret import Secret

Record = Grant | SealedDeposit
CONTEXTS = {"grants": (vault.grant, "_context"), "deposits": (vault.deposit, "_context")}


def deposits(random: Random) -> list[tuple[SealedDeposit, Secret]]:
    """Two listings, two deposits of one of them, two versions of one of those."""
    places = [(10, 20, 1), (11, 21, 1), (10, 22, 1), (10, 20, 2)]
    document = make_document({"password": "canary"}, random.randbytes)
    return [
        seal_document(
            document, listing_id=make_id(a), deposit_id=make_id(b), version=version, random_bytes=random.randbytes
        )
        for a, b, version in places
    ]


def grants(scene: Scene, sealed: list[tuple[SealedDeposit, Secret]]) -> list[tuple[Grant, SealedDeposit, Secret]]:
    """To two people in two roles and two transactions, each with its deposit and the private key that opens it."""
    made: list[tuple[Grant, SealedDeposit, Secret]] = []
    for deposit, key in sealed:
        for person in (scene.seller, scene.buyer):
            custody = grant_custody(key, deposit, seller_id=person.id, seller_key=person.public_key)
            made.append((custody, deposit, person.private_key))
            made += [(_deliver(key, deposit, person, number), deposit, person.private_key) for number in (30, 31)]
    return made


def _deliver(key: Secret, deposit: SealedDeposit, person: Person, number: int) -> Grant:
    return grant_delivery(key, deposit, transaction_id=make_id(number), buyer_id=person.id, buyer_key=person.public_key)


def exchanged(one: Record, other: Record) -> Iterator[Record]:
    """`one` with a single field of `other`, for each field that differs, and with all but what is sealed."""
    differing = {f.name: getattr(other, f.name) for f in fields(one) if getattr(one, f.name) != getattr(other, f.name)}
    for name, value in differing.items():
        yield replace(one, **{name: value})
    yield replace(other, **{name: getattr(one, name) for name in ("sealed", "ciphertext") if hasattr(one, name)})


def opens(scene: Scene) -> list[Record]:
    """Every exchange that opens although its record stands where it does not belong."""
    sealed = deposits(Random(5))
    given = grants(scene, sealed)
    found: list[Record] = [
        moved
        for (one, key), (other, _) in permutations(sealed, 2)
        for moved in exchanged(one, other)
        if isinstance(moved, SealedDeposit) and _opens(lambda m=moved, k=key: open_deposit(m, k))
    ]
    for (one, deposit, private_key), (other, elsewhere, _) in permutations(given, 2):
        for moved in exchanged(one, other):
            for place in (deposit, elsewhere):
                if isinstance(moved, Grant) and _opens(lambda m=moved, p=place, k=private_key: open_grant(m, p, k)):
                    found.append(moved)
    return found


def _opens(attempt: object) -> bool:
    try:
        attempt()  # type: ignore[operator]
    except EscrowError:
        return False
    return True


@pytest.mark.guarantee(
    "G10",
    faults="ciphertexts and grants exchanged between rows, listings, deposits, transactions, people, roles, versions",
    runs="every pair of 4 deposits and of 24 grants, field by field",
)
def test_nothing_opens_in_another_row_than_its_own(scene: Scene):
    assert opens(scene) == []


def test_each_opens_in_its_own(scene: Scene):
    sealed = deposits(Random(5))
    given = grants(scene, sealed)
    assert len(given) == 6 * len(sealed) > 0
    for grant, deposit, private_key in given:
        assert open_deposit(deposit, open_grant(grant, deposit, private_key)).content.reveal()


@pytest.mark.guarantee("G10", planted="grants, or deposits, that are not bound to the place where they belong")
@pytest.mark.parametrize("what", CONTEXTS)
def test_a_record_that_is_bound_to_no_place_is_found(scene: Scene, what: str, monkeypatch: pytest.MonkeyPatch):
    module, name = CONTEXTS[what]
    monkeypatch.setattr(module, name, lambda *_: b"anywhere")
    assert opens(scene) != []


def test_a_key_pair_of_another_person_version_or_pepper_does_not_open(scene: Scene):
    people = (scene.seller, scene.buyer, scene.stranger)
    for one, other in permutations(people, 2):
        for moved in (
            replace(one.record, user_id=other.id),
            replace(one.record, key_version=2),
            replace(one.record, pepper_version=1),
            replace(one.record, wrapped_private_key=other.record.wrapped_private_key),
            replace(other.record, key_commitment=one.record.key_commitment),
        ):
            attempt = lambda m=moved, o=one: unwrap_private_key(m, unlock_key=o.unlock_key, pepper=scene.pepper)  # noqa: E731
            assert not _opens(attempt)
    swapped = Pepper({1: scene.pepper.get_key(2), 2: scene.pepper.get_key(1)})
    assert not _opens(
        lambda: unwrap_private_key(scene.seller.record, unlock_key=scene.seller.unlock_key, pepper=swapped)
    )
