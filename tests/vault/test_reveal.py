"""A reveal opens for the buyer and is sealed to the client's key."""

import json
from dataclasses import replace

import pytest

from tests.vault.client import open_answer
from tests.vault.conftest import PLAINTEXT, Scene, make_id
from tests.vault.tampering import flip_each_byte
from vault.reveal import Reveal, open_credentials, seal_answer
from vault.sealing import SealBroken, UnfitPublicKey


@pytest.fixture
def reveal(scene: Scene) -> Reveal:
    return Reveal(
        transaction_id=scene.transaction_id,
        deposit_id=scene.deposit.deposit_id,
        user_id=scene.buyer.id,
        command_id=b"c" * 32,
    )


def test_the_buyer_opens_what_the_seller_deposited(scene: Scene):
    document = open_credentials(scene.delivery, scene.deposit, scene.buyer.private_key)
    assert json.loads(document.padded.reveal())["credentials"]["password"] == PLAINTEXT


def test_the_answer_opens_with_the_key_of_the_client_only(scene: Scene, reveal: Reveal):
    client, other = scene.stranger, scene.seller
    sealed = seal_answer(scene.document, reveal, client.public_key.raw)
    assert open_answer(sealed, reveal, client.private_key) == scene.document
    assert PLAINTEXT.encode() not in sealed
    with pytest.raises(SealBroken):
        open_answer(sealed, reveal, other.private_key)


def test_an_answer_belongs_to_one_showing(scene: Scene, reveal: Reveal):
    sealed = seal_answer(scene.document, reveal, scene.stranger.public_key.raw)
    for other in (
        replace(reveal, transaction_id=make_id(60)),
        replace(reveal, deposit_id=make_id(60)),
        replace(reveal, user_id=make_id(60)),
        replace(reveal, command_id=b"d" * 32),
    ):
        with pytest.raises(SealBroken):
            open_answer(sealed, other, scene.stranger.private_key)


@pytest.mark.guarantee("G10", faults="every byte of every record changed, one at a time", runs="every byte")
def test_a_flip_of_any_byte_of_the_answer_is_refused(scene: Scene, reveal: Reveal):
    sealed = seal_answer(scene.document, reveal, scene.stranger.public_key.raw)
    for changed in flip_each_byte(sealed):
        with pytest.raises(SealBroken):
            open_answer(changed, reveal, scene.stranger.private_key)


def test_the_answer_is_padded_too(scene: Scene, reveal: Reveal):
    assert len(seal_answer(scene.document, reveal, scene.stranger.public_key.raw)) == 32 + 512 + 16


@pytest.mark.parametrize("raw", [bytes(32), b"", b"x" * 31, b"x" * 64])
def test_a_client_key_that_is_none_is_refused(scene: Scene, reveal: Reveal, raw: bytes):
    with pytest.raises(UnfitPublicKey) as refused:
        seal_answer(scene.document, reveal, raw)
    assert refused.value.status == 422
