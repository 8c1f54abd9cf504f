"""A private key opens with the password and the pepper, in its own place, and in no other way."""

from dataclasses import asdict, dataclass, replace
from random import Random
from uuid import UUID

import pytest

from domain.errors import EscrowError
from tests.vault.conftest import Scene, make_id
from tests.vault.tampering import GrowingPepper, flip_each_byte
from vault.keypair import (
    KeyPairRecord,
    WrongPassword,
    generate_private_key,
    get_public_key,
    unwrap_private_key,
    wrap_private_key,
)
from vault.pepper import Pepper, PepperVersionUnknown
from vault.sealing import SealBroken
from vault.secret import Secret


def refuses(record: KeyPairRecord, scene: Scene, unlock_key: Secret | None = None) -> bool:
    try:
        unwrap_private_key(record, unlock_key=unlock_key or scene.seller.unlock_key, pepper=scene.pepper)
    except (SealBroken, WrongPassword, PepperVersionUnknown):
        return True
    return False


def test_password_and_pepper_open_the_private_key(scene: Scene):
    opened = unwrap_private_key(scene.seller.record, unlock_key=scene.seller.unlock_key, pepper=scene.pepper)
    assert opened == scene.seller.private_key


def test_new_keys_are_wrapped_with_the_newest_pepper(scene: Scene):
    assert scene.seller.record.pepper_version == 2


def test_a_version_that_is_added_while_a_key_is_wrapped_does_not_close_it_for_ever(scene: Scene):
    pepper = GrowingPepper(*(Secret(bytes([number]) * 32) for number in range(4)))
    wrapped = wrap_private_key(
        scene.seller.private_key,
        user_id=scene.seller.id,
        key_version=1,
        unlock_key=scene.seller.unlock_key,
        pepper=pepper,
        random_bytes=Random(3).randbytes,
    )
    opened = unwrap_private_key(wrapped, unlock_key=scene.seller.unlock_key, pepper=pepper)
    assert (wrapped.pepper_version, opened) == (1, scene.seller.private_key)


def test_without_the_pepper_nothing_opens(scene: Scene):
    other = Pepper({1: scene.pepper.get_key(1), 2: Secret(bytes(32))})
    with pytest.raises(SealBroken):
        unwrap_private_key(scene.seller.record, unlock_key=scene.seller.unlock_key, pepper=other)
    with pytest.raises(PepperVersionUnknown):
        unwrap_private_key(
            scene.seller.record, unlock_key=scene.seller.unlock_key, pepper=Pepper({1: scene.pepper.get_key(1)})
        )


def test_without_the_password_nothing_opens(scene: Scene):
    with pytest.raises(WrongPassword):
        unwrap_private_key(scene.seller.record, unlock_key=scene.buyer.unlock_key, pepper=scene.pepper)


def test_a_forged_commitment_does_not_help_without_the_password(scene: Scene):
    forged = replace(scene.seller.record, key_commitment=scene.buyer.record.key_commitment)
    assert refuses(forged, scene, scene.buyer.unlock_key)
    assert refuses(forged, scene)


@pytest.mark.guarantee("G10", faults="every byte of every record changed, one at a time", runs="every byte")
def test_a_flip_of_any_byte_is_refused(scene: Scene):
    record = scene.seller.record
    changed = [
        *(replace(record, key_commitment=value) for value in flip_each_byte(record.key_commitment)),
        *(replace(record, wrapped_private_key=value) for value in flip_each_byte(record.wrapped_private_key)),
        *(replace(record, public_key=value) for value in flip_each_byte(record.public_key)),
        replace(record, key_version=2),
        replace(record, pepper_version=1),
        replace(record, pepper_version=3),
        replace(record, user_id=scene.buyer.id),
    ]
    assert [record for record in changed if not refuses(record, scene)] == []


def test_parts_swapped_between_people_and_versions_are_refused(scene: Scene):
    mine, other = scene.seller.record, scene.buyer.record
    newer = wrap_private_key(
        scene.seller.private_key,
        user_id=scene.seller.id,
        key_version=2,
        unlock_key=scene.seller.unlock_key,
        pepper=scene.pepper,
        random_bytes=Random(9).randbytes,
    )
    for donor in (other, newer):
        assert refuses(replace(mine, wrapped_private_key=donor.wrapped_private_key), scene)
        assert refuses(replace(mine, key_commitment=donor.key_commitment), scene)
        relabelled = replace(donor, user_id=mine.user_id, key_version=mine.key_version)
        assert refuses(relabelled, scene)
        assert refuses(relabelled, scene, scene.buyer.unlock_key)
    assert refuses(replace(mine, public_key=other.public_key), scene)


@dataclass(frozen=True)
class Row:
    """A key pair as another program may have left it in the database."""

    user_id: UUID
    key_version: int
    suite: str
    public_key: bytes
    key_commitment: bytes
    pepper_version: int
    wrapped_private_key: bytes


def test_an_unknown_suite_is_refused(scene: Scene):
    row = Row(**asdict(scene.seller.record))
    assert unwrap_private_key(row, unlock_key=scene.seller.unlock_key, pepper=scene.pepper) == scene.seller.private_key
    with pytest.raises(SealBroken):
        unwrap_private_key(replace(row, suite="rot13"), unlock_key=scene.seller.unlock_key, pepper=scene.pepper)


def test_a_fingerprint_is_64_hex_digits_of_suite_and_key(scene: Scene):
    fingerprint = scene.seller.public_key.fingerprint
    assert len(bytes.fromhex(fingerprint)) == 32
    assert fingerprint != scene.buyer.public_key.fingerprint
    assert get_public_key(generate_private_key(Random(4).randbytes)).fingerprint != fingerprint


def test_wrapping_twice_gives_nothing_to_compare(scene: Scene):
    random = Random(5)
    first, second = (
        wrap_private_key(
            scene.seller.private_key,
            user_id=make_id(1),
            key_version=1,
            unlock_key=scene.seller.unlock_key,
            pepper=scene.pepper,
            random_bytes=random.randbytes,
        )
        for _ in range(2)
    )
    assert first.wrapped_private_key[1:13] != second.wrapped_private_key[1:13]
    assert first.wrapped_private_key != second.wrapped_private_key


def test_refusals_are_errors_of_the_one_tree():
    assert issubclass(SealBroken, EscrowError)
    assert WrongPassword.status == 403
