"""The published vectors decrypt, here and with another library: what stands in old records stays readable for ever.

The second reading uses nothing of the product but the vectors, and of the formats only what docs/reference says.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.vault.another_library import expand, fields, number, open_gcm, open_hpke
from tests.vault.client import open_answer
from vault.deposit import Document, SealedDeposit, open_deposit
from vault.grant import Grant, open_grant
from vault.keypair import KeyPairRecord, get_public_key, unwrap_private_key
from vault.password import PasswordRecord, check_password, derive_keys, get_cost
from vault.pepper import Pepper
from vault.reveal import Reveal
from vault.sealing import KeySuite
from vault.secret import Secret

Vectors = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return json.loads(Path(__file__).with_name("vectors.json").read_text())


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


class TestTheProduct:
    """Opens them with its own code."""

    def test_derives_the_keys(self, vectors: Vectors):
        v = vectors["password"]
        record = PasswordRecord(
            salt=raw(v["salt"]),
            memory_kib=v["memory_kib"],
            iterations=v["iterations"],
            lanes=v["lanes"],
            verifier=v["verifier"],
        )
        keys = derive_keys(v["password"], record.salt, get_cost(record))
        assert keys.auth_key == Secret(raw(v["auth_key"]))
        assert check_password(v["password"], record) == Secret(raw(v["unlock_key"]))

    def test_unwraps_the_private_key(self, vectors: Vectors):
        v = vectors["key_pair"]
        record = KeyPairRecord(
            user_id=UUID(v["user_id"]),
            key_version=v["key_version"],
            suite=KeySuite(v["suite"]),
            public_key=raw(v["public_key"]),
            key_commitment=raw(v["key_commitment"]),
            pepper_version=v["pepper_version"],
            wrapped_private_key=raw(v["wrapped_private_key"]),
        )
        pepper = Pepper({v["pepper_version"]: Secret(raw(v["pepper"]))})
        unlock_key = Secret(raw(vectors["password"]["unlock_key"]))
        private_key = unwrap_private_key(record, unlock_key=unlock_key, pepper=pepper)
        assert private_key == Secret(raw(v["private_key"]))
        assert get_public_key(private_key).fingerprint == v["fingerprint"]
        assert pepper.prove(3).hex() == v["pepper_proof"]

    def test_opens_grant_deposit_and_answer(self, vectors: Vectors):
        deposit = read_deposit(vectors)
        private_key = Secret(raw(vectors["key_pair"]["private_key"]))
        key = open_grant(read_grant(vectors), deposit, private_key)
        assert key == Secret(raw(vectors["deposit"]["key"]))
        document = Document(content=Secret(vectors["deposit"]["document"].encode()))
        assert open_deposit(deposit, key) == document
        v = vectors["reveal"]
        reveal = Reveal(
            transaction_id=UUID(vectors["grant"]["transaction_id"]),
            deposit_id=deposit.deposit_id,
            user_id=UUID(vectors["key_pair"]["user_id"]),
            command_id=raw(v["command_id"]),
        )
        assert open_answer(raw(v["sealed"]), reveal, Secret(raw(v["client_private_key"]))) == document


def read_deposit(vectors: Vectors) -> SealedDeposit:
    v = vectors["deposit"]
    return SealedDeposit(
        listing_id=UUID(v["listing_id"]),
        deposit_id=UUID(v["deposit_id"]),
        version=v["version"],
        suite=v["suite"],
        ciphertext=raw(v["ciphertext"]),
        commitment=raw(v["commitment"]),
    )


def read_grant(vectors: Vectors) -> Grant:
    v, deposit = vectors["grant"], read_deposit(vectors)
    return Grant(
        purpose=v["purpose"],
        transaction_id=UUID(v["transaction_id"]),
        listing_id=deposit.listing_id,
        deposit_id=deposit.deposit_id,
        deposit_version=deposit.version,
        user_id=UUID(vectors["key_pair"]["user_id"]),
        suite=v["suite"],
        fingerprint=vectors["key_pair"]["fingerprint"],
        sealed=raw(v["sealed"]),
    )


class TestAnotherLibrary:
    """Opens them from the description alone."""

    def test_expands_commits_and_fingerprints_alike(self, vectors: Vectors):
        v = vectors["key_pair"]
        user = UUID(v["user_id"]).bytes
        unlock_key = raw(vectors["password"]["unlock_key"])
        commitment = expand(unlock_key, fields(b"key-commitment", user, number(v["key_version"])))
        assert commitment == raw(v["key_commitment"])
        assert expand(raw(v["pepper"]), fields(b"pepper-proof", number(3))) == raw(v["pepper_proof"])
        named = fields(b"public-key", v["suite"].encode(), raw(v["public_key"]))
        assert sha256(named).hexdigest() == v["fingerprint"]

    def test_takes_both_layers_off_the_private_key(self, vectors: Vectors):
        v = vectors["key_pair"]
        place = (v["suite"].encode(), UUID(v["user_id"]).bytes, number(v["key_version"]))
        outer = fields(b"peppered-private-key", *place, number(v["pepper_version"]))
        inner = open_gcm(raw(v["pepper"]), raw(v["wrapped_private_key"]), outer)
        unlock_key = raw(vectors["password"]["unlock_key"])
        assert open_gcm(unlock_key, inner, fields(b"private-key", *place)) == raw(v["private_key"])

    def test_opens_grant_deposit_and_answer(self, vectors: Vectors):
        v, grant, reveal = vectors["deposit"], vectors["grant"], vectors["reveal"]
        user, transaction = UUID(vectors["key_pair"]["user_id"]).bytes, UUID(grant["transaction_id"]).bytes
        listing, deposit = UUID(v["listing_id"]).bytes, UUID(v["deposit_id"]).bytes
        info = fields(
            b"grant",
            grant["suite"].encode(),
            grant["purpose"].encode(),
            transaction,
            listing,
            deposit,
            number(v["version"]),
            user,
            vectors["key_pair"]["fingerprint"].encode(),
        )
        key = open_hpke(raw(vectors["key_pair"]["private_key"]), raw(grant["sealed"]), info)
        assert key == raw(v["key"])
        place = fields(b"deposit", v["suite"].encode(), listing, deposit, number(v["version"]))
        document = v["document"].encode()
        assert open_gcm(key, raw(v["ciphertext"]), place) == document.ljust(512)
        assert sha256(document).hexdigest() == v["commitment"]
        info = fields(b"reveal", grant["suite"].encode(), transaction, deposit, user, raw(reveal["command_id"]))
        assert open_hpke(raw(reveal["client_private_key"]), raw(reveal["sealed"]), info) == document.ljust(512)
