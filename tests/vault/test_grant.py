"""A grant opens for one person, one deposit, one transaction and one purpose."""

from dataclasses import replace

import pytest

from tests.vault.conftest import Scene, make_id
from tests.vault.tampering import flip_each_byte
from vault.grant import Grant, Purpose, grant_custody, grant_delivery, hand_over, open_grant
from vault.keypair import PublicKey
from vault.sealing import KeySuite, SealBroken, UnfitPublicKey


def test_the_seller_holds_the_key_and_hands_it_to_the_buyer(scene: Scene):
    assert open_grant(scene.custody, scene.deposit, scene.seller.private_key) == scene.key
    assert open_grant(scene.delivery, scene.deposit, scene.buyer.private_key) == scene.key
    assert scene.delivery.fingerprint == scene.buyer.public_key.fingerprint


@pytest.mark.parametrize("thief", ["seller", "stranger"])
def test_nobody_else_opens_the_grant_of_the_buyer(scene: Scene, thief: str):
    with pytest.raises(SealBroken):
        open_grant(scene.delivery, scene.deposit, getattr(scene, thief).private_key)


def test_a_stranger_cannot_relabel_the_grant_as_their_own(scene: Scene):
    stranger = scene.stranger
    stolen = replace(scene.delivery, user_id=stranger.id, fingerprint=stranger.public_key.fingerprint)
    with pytest.raises(SealBroken):
        open_grant(stolen, scene.deposit, stranger.private_key)


@pytest.mark.guarantee("G10", faults="every byte of every record changed, one at a time", runs="every byte")
def test_a_flip_of_any_byte_and_any_move_is_refused(scene: Scene):
    delivery = scene.delivery
    changed = [
        *(replace(delivery, sealed=value) for value in flip_each_byte(delivery.sealed)),
        replace(delivery, sealed=b""),
        replace(delivery, sealed=scene.custody.sealed),
        replace(delivery, purpose=Purpose.CUSTODY),
        replace(delivery, purpose=Purpose.CUSTODY, transaction_id=None),
        replace(delivery, transaction_id=make_id(99)),
        replace(delivery, transaction_id=None),
        replace(delivery, listing_id=make_id(99)),
        replace(delivery, deposit_id=make_id(99)),
        replace(delivery, deposit_version=2),
        replace(delivery, user_id=scene.stranger.id),
        replace(delivery, suite="hpke-other"),
        replace(delivery, fingerprint=scene.stranger.public_key.fingerprint),
    ]
    for grant in changed:
        with pytest.raises(SealBroken):
            open_grant(grant, scene.deposit, scene.buyer.private_key)


def test_a_grant_moved_together_with_its_deposit_is_refused(scene: Scene):
    """Whoever rewrites both rows consistently still meets the place that both were sealed for."""
    for moved in (
        {"listing_id": make_id(50)},
        {"deposit_id": make_id(50)},
    ):
        with pytest.raises(SealBroken):
            open_grant(replace(scene.delivery, **moved), replace(scene.deposit, **moved), scene.buyer.private_key)
    with pytest.raises(SealBroken):
        open_grant(
            replace(scene.delivery, deposit_version=2), replace(scene.deposit, version=2), scene.buyer.private_key
        )


def test_a_grant_of_another_transaction_does_not_stand_in(scene: Scene):
    other = grant_delivery(
        scene.key,
        scene.deposit,
        transaction_id=make_id(77),
        buyer_id=scene.buyer.id,
        buyer_key=scene.buyer.public_key,
    )
    with pytest.raises(SealBroken):
        open_grant(replace(scene.delivery, sealed=other.sealed), scene.deposit, scene.buyer.private_key)


def test_a_custody_grant_is_not_handed_over_by_somebody_else(scene: Scene):
    with pytest.raises(SealBroken):
        hand_over(
            scene.custody,
            scene.deposit,
            seller_private_key=scene.stranger.private_key,
            transaction_id=scene.transaction_id,
            buyer_id=scene.stranger.id,
            buyer_key=scene.stranger.public_key,
        )


@pytest.mark.parametrize("raw", [bytes(32), b"\1" + bytes(31), b"", bytes(31), bytes(33)])
def test_a_weak_public_key_is_refused(scene: Scene, raw: bytes):
    weak = PublicKey(suite=KeySuite.X25519, raw=raw)
    with pytest.raises(UnfitPublicKey):
        grant_custody(scene.key, scene.deposit, seller_id=scene.seller.id, seller_key=weak)


def test_granting_twice_gives_nothing_to_compare(scene: Scene):
    def grant() -> Grant:
        return grant_custody(scene.key, scene.deposit, seller_id=scene.seller.id, seller_key=scene.seller.public_key)

    assert grant().sealed != grant().sealed
