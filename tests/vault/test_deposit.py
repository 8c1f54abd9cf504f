"""A deposit hides what it holds and how long it is, and opens in its own place only."""

import json
from dataclasses import replace
from hashlib import sha256
from random import Random

import pytest

from tests.vault.conftest import PLAINTEXT, Scene, make_id
from tests.vault.tampering import flip_each_byte
from vault.deposit import (
    JSON,
    LARGEST_DOCUMENT,
    SealedDeposit,
    UnfitCredentials,
    make_document,
    open_deposit,
    seal_document,
)
from vault.sealing import SealBroken
from vault.secret import Secret


def seal_something(credentials: dict[str, JSON], seed: int = 1) -> tuple[SealedDeposit, Secret]:
    random = Random(seed)
    document = make_document(credentials, random.randbytes)
    return seal_document(
        document, listing_id=make_id(10), deposit_id=make_id(11), version=1, random_bytes=random.randbytes
    )


def test_the_key_opens_the_document(scene: Scene):
    document = open_deposit(scene.deposit, scene.key)
    assert json.loads(document.content.reveal())["credentials"] == {"username": "shop", "password": PLAINTEXT}


def test_the_document_is_canonical_json_with_a_nonce(scene: Scene):
    content = scene.document.content.reveal()
    parsed = json.loads(content)
    assert json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == content
    assert list(parsed) == ["credentials", "nonce"]


def test_the_commitment_is_what_sha256sum_says(scene: Scene):
    assert scene.deposit.commitment == sha256(scene.document.content.reveal()).digest()


def test_the_same_credentials_are_never_committed_to_alike():
    random = Random(1)
    first, second = (make_document({"password": "x"}, random.randbytes) for _ in range(2))
    assert first.commitment != second.commitment


def test_a_disclosed_document_is_checked_against_the_log_and_a_changed_one_is_not(scene: Scene):
    disclosed = json.loads(scene.document.padded.reveal())
    assert hash_canonical(disclosed) == scene.deposit.commitment
    disclosed["credentials"]["password"] = "another"
    assert hash_canonical(disclosed) != scene.deposit.commitment


def hash_canonical(document: object) -> bytes:
    """What docs/reference/vault-format.md lets anybody compute of a document that was parsed."""
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).digest()


def test_padding_hides_the_length():
    short, long = seal_something({"password": "x"})[0], seal_something({"password": "x" * 400})[0]
    assert len(short.ciphertext) == len(long.ciphertext) == 1 + 12 + 512 + 16
    assert len(seal_something({"password": "x" * 500})[0].ciphertext) == 1 + 12 + 1024 + 16


@pytest.mark.parametrize("length", range(430, 450))
def test_every_length_around_a_block_comes_back_whole(length: int):
    deposit, key = seal_something({"password": "x" * length + " "})
    content = open_deposit(deposit, key).content.reveal()
    assert json.loads(content)["credentials"]["password"] == "x" * length + " "
    assert (len(deposit.ciphertext) - 29) % 512 == 0


@pytest.mark.guarantee("G10", faults="every byte of every record changed, one at a time", runs="every byte")
def test_a_flip_of_any_byte_is_refused(scene: Scene):
    changed = [
        *(replace(scene.deposit, ciphertext=value) for value in flip_each_byte(scene.deposit.ciphertext)),
        *(replace(scene.deposit, commitment=value) for value in flip_each_byte(scene.deposit.commitment)),
        *(replace(scene.deposit, suite=value.decode()) for value in flip_each_byte(scene.deposit.suite.encode())),
        replace(scene.deposit, listing_id=make_id(11)),
        replace(scene.deposit, deposit_id=make_id(10)),
        replace(scene.deposit, listing_id=make_id(11), deposit_id=make_id(10)),
        replace(scene.deposit, version=2),
        replace(scene.deposit, ciphertext=b""),
    ]
    for deposit in changed:
        with pytest.raises(SealBroken):
            open_deposit(deposit, scene.key)


def test_a_ciphertext_swapped_with_another_deposit_is_refused(scene: Scene):
    other, other_key = seal_something({"password": "x"}, seed=7)
    for key in (scene.key, other_key):
        with pytest.raises(SealBroken):
            open_deposit(replace(scene.deposit, ciphertext=other.ciphertext), key)


def test_every_deposit_has_a_key_of_its_own():
    assert seal_something({"password": "x"}, 1)[1] != seal_something({"password": "x"}, 2)[1]


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"price": 1.5},
        {"list": [{"deep": 0.1}]},
        {"nan": float("nan")},
        {"infinite": float("inf")},
        {"lone": "\ud800"},
        {"long": "x" * LARGEST_DOCUMENT},
        {"bytes": b"x"},
    ],
)
def test_unfit_credentials_are_refused_without_an_echo(credentials: dict[str, JSON]):
    with pytest.raises(UnfitCredentials) as refused:
        make_document(credentials, Random(1).randbytes)
    assert "xx" not in repr(refused.value)
    assert "ud800" not in repr(refused.value)


def test_nested_credentials_are_kept():
    credentials: dict[str, JSON] = {"codes": ["1", "2"], "two_factor": {"seed": "ABC", "digits": 6}, "note": None}
    deposit, key = seal_something(credentials)
    assert json.loads(open_deposit(deposit, key).content.reveal())["credentials"] == credentials
