"""A password gives two keys; the server keeps a hash of one of them."""

import time
import unicodedata
from dataclasses import replace
from random import Random

import pytest

from vault.password import (
    CEILING,
    FLOOR,
    RECOMMENDED,
    Argon2Cost,
    PasswordCosts,
    PasswordRecord,
    UnfitPassword,
    UnsafeCost,
    check_new_password,
    check_password,
    derive_keys,
    is_verified,
    make_decoy,
    make_record,
    make_verifier,
)

COSTS = PasswordCosts(stretch=FLOOR, verifier=FLOOR)
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def record() -> PasswordRecord:
    return make_record(PASSWORD, COSTS, Random(1).randbytes)[0]


def test_the_right_password_gives_the_unlock_key_it_was_enrolled_with():
    record, unlock_key = make_record(PASSWORD, COSTS, Random(1).randbytes)
    assert check_password(PASSWORD, record) == unlock_key


def test_another_password_gives_nothing(record: PasswordRecord):
    assert check_password(PASSWORD + " ", record) is None


def test_auth_key_and_unlock_key_have_nothing_in_common():
    keys = derive_keys(PASSWORD, bytes(16), FLOOR)
    assert keys.auth_key != keys.unlock_key
    assert len(keys.auth_key) == len(keys.unlock_key) == 32


def test_new_records_cost_what_the_design_says():
    assert RECOMMENDED.stretch == Argon2Cost(memory_kib=64 * 1024, iterations=3, lanes=1)
    assert RECOMMENDED.verifier == Argon2Cost(memory_kib=19 * 1024, iterations=2, lanes=1)
    record, _ = make_record(PASSWORD, RECOMMENDED, Random(1).randbytes)
    assert (record.memory_kib, record.iterations, record.lanes) == (65536, 3, 1)
    assert record.verifier.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(record.salt) == 16


@pytest.mark.parametrize(
    "cost",
    [
        Argon2Cost(memory_kib=FLOOR.memory_kib - 1, iterations=2, lanes=1),
        Argon2Cost(memory_kib=FLOOR.memory_kib, iterations=1, lanes=1),
        Argon2Cost(memory_kib=FLOOR.memory_kib, iterations=2, lanes=0),
        Argon2Cost(memory_kib=CEILING.memory_kib + 1, iterations=2, lanes=1),
        Argon2Cost(memory_kib=FLOOR.memory_kib, iterations=CEILING.iterations + 1, lanes=1),
    ],
)
def test_a_record_outside_floor_and_ceiling_is_refused_before_any_work(cost: Argon2Cost):
    with pytest.raises(UnsafeCost):
        derive_keys(PASSWORD, bytes(16), cost)
    with pytest.raises(UnsafeCost):
        make_record(PASSWORD, PasswordCosts(stretch=FLOOR, verifier=cost), Random(1).randbytes)
    with pytest.raises(UnsafeCost):
        make_record(PASSWORD, PasswordCosts(stretch=cost, verifier=FLOOR), Random(1).randbytes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=19456", "m=8"),
        ("t=2", "t=1"),
        ("argon2id", "argon2d"),
        ("v=19", "v=16"),
        ("m=19456", "m=99999999"),
        ("$argon2id", "argon2id"),
    ],
)
def test_a_verifier_below_the_floor_or_of_another_kind_is_refused(record: PasswordRecord, old: str, new: str):
    keys = derive_keys(PASSWORD, record.salt, FLOOR)
    with pytest.raises(UnsafeCost):
        is_verified(keys.auth_key, record.verifier.replace(old, new))


def test_every_changed_character_of_the_verifier_is_refused(record: PasswordRecord):
    auth_key = derive_keys(PASSWORD, record.salt, FLOOR).auth_key
    assert is_verified(auth_key, record.verifier)
    start = record.verifier.index("p=1$") + 4
    for index in range(start, len(record.verifier)):
        swapped = "B" if record.verifier[index] != "B" else "C"
        assert not is_verified(auth_key, record.verifier[:index] + swapped + record.verifier[index + 1 :])


def test_a_flip_of_any_byte_of_the_salt_and_any_other_cost_is_refused(record: PasswordRecord):
    salts = [record.salt[:i] + bytes([record.salt[i] ^ 1]) + record.salt[i + 1 :] for i in range(len(record.salt))]
    changed = [replace(record, salt=salt) for salt in salts]
    changed += [replace(record, memory_kib=record.memory_kib + 8), replace(record, iterations=3)]
    assert [check_password(PASSWORD, other) for other in changed] == [None] * len(changed)


def test_two_verifiers_of_one_key_differ():
    auth_key = derive_keys(PASSWORD, bytes(16), FLOOR).auth_key
    random = Random(2)
    assert make_verifier(auth_key, FLOOR, random.randbytes) != make_verifier(auth_key, FLOOR, random.randbytes)


def test_two_keyboards_type_the_same_password():
    composed = unicodedata.normalize("NFC", "pässwörd-größer")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    record, _ = make_record(composed, COSTS, Random(1).randbytes)
    assert check_password(decomposed, record) is not None


@pytest.mark.parametrize("password", ["", "short77", "x\0" * 10, "\ud800" * 10, "x" * 1025, "é" * 513, "🔑" * 257])
def test_an_unfit_password_cannot_be_chosen(password: str):
    with pytest.raises(UnfitPassword) as refused:
        check_new_password(password)
    assert "x" * 10 not in repr(refused.value)


@pytest.mark.parametrize("password", [" " * 12, "🔑" * 8, "x" * 1024, "12345678"])
def test_odd_passwords_may_be_chosen(password: str):
    check_new_password(password)


def test_a_decoy_opens_with_nothing_and_costs_the_same(record: PasswordRecord):
    decoy = make_decoy(COSTS)
    assert check_password(PASSWORD, decoy) is None

    def fastest(stored: PasswordRecord) -> float:
        times: list[float] = []
        for _ in range(5):
            started = time.thread_time()
            check_password("wrong password", stored)
            times.append(time.thread_time() - started)
        return min(times)

    assert 0.5 < fastest(decoy) / fastest(record) < 2
