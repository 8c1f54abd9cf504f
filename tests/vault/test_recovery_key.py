"""The paper opens the private key together with the pepper, in its own place, and in no other way."""

from dataclasses import replace
from random import Random

import pytest

from tests.vault.conftest import Person, Scene
from tests.vault.tampering import GrowingPepper, flip_each_byte
from vault.pepper import Pepper, PepperVersionUnknown
from vault.recovery_key import (
    RecoveryKeyRecord,
    RecoveryKeyRefused,
    print_recovery_key,
    read_recovery_key,
    unwrap_for_recovery,
    wrap_for_recovery,
)
from vault.sealing import SealBroken
from vault.secret import Secret

KEY = Secret(bytes(range(16)))


def wrap(scene: Scene, person: Person) -> RecoveryKeyRecord:
    random_bytes = Random(4).randbytes
    return wrap_for_recovery(person.private_key, KEY, person.record, pepper=scene.pepper, random_bytes=random_bytes)


def refuses(scene: Scene, record: RecoveryKeyRecord, key: Secret = KEY, pepper: Pepper | None = None) -> bool:
    try:
        unwrap_for_recovery(key, record, scene.seller.record, pepper=pepper or scene.pepper)
    except (SealBroken, RecoveryKeyRefused, PepperVersionUnknown):
        return True
    return False


def test_the_paper_opens_the_private_key(scene: Scene):
    record = wrap(scene, scene.seller)
    opened = unwrap_for_recovery(KEY, record, scene.seller.record, pepper=scene.pepper)
    assert opened == scene.seller.private_key


def test_a_version_that_is_added_while_the_paper_is_made_does_not_spoil_it(scene: Scene):
    pepper = GrowingPepper(*(Secret(bytes([number]) * 32) for number in range(4)))
    record = wrap_for_recovery(
        scene.seller.private_key, KEY, scene.seller.record, pepper=pepper, random_bytes=Random(4).randbytes
    )
    opened = unwrap_for_recovery(KEY, record, scene.seller.record, pepper=pepper)
    assert (record.pepper_version, opened) == (1, scene.seller.private_key)


def test_what_is_printed_is_read_however_it_is_typed():
    printed = print_recovery_key(KEY)
    assert read_recovery_key(printed.upper().replace("-", " ")) == KEY
    assert len(printed.replace("-", "")) == 32


@pytest.mark.parametrize("place", range(0, 39, 3))
def test_a_slip_of_the_pen_is_noticed_before_anything_is_opened(place: int):
    printed = print_recovery_key(KEY)
    other = "b" if printed[place] != "b" else "c"
    with pytest.raises(RecoveryKeyRefused):
        read_recovery_key(printed[:place] + other + printed[place + 1 :])


def test_nothing_opens_without_the_pepper_or_with_another_key(scene: Scene):
    record = wrap(scene, scene.seller)
    assert refuses(scene, record, key=Secret(bytes(16)))
    assert refuses(scene, record, pepper=Pepper({2: Secret(bytes(32))}))
    assert refuses(scene, record, pepper=Pepper({1: scene.pepper.get_key(1)}))


def test_another_persons_record_does_not_open(scene: Scene):
    assert refuses(scene, wrap(scene, scene.buyer))
    assert refuses(scene, replace(wrap(scene, scene.buyer), user_id=scene.seller.id))


@pytest.mark.guarantee("G10", faults="every byte of every record changed, one at a time", runs="every byte")
def test_a_flip_of_any_byte_of_a_recovery_record_is_refused(scene: Scene):
    record = wrap(scene, scene.seller)
    changed = [
        *(replace(record, key_commitment=value) for value in flip_each_byte(record.key_commitment)),
        *(replace(record, wrapped_private_key=value) for value in flip_each_byte(record.wrapped_private_key)),
        replace(record, key_version=2),
        replace(record, pepper_version=1),
    ]
    assert all(refuses(scene, record) for record in changed)
