"""Writes vectors.json. Run once per format, never again after a release: what is published has to stay decryptable.

.venv/bin/python -m tests.vault.make_vectors
"""

import json
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from vault.deposit import make_document, seal_document
from vault.grant import grant_delivery
from vault.keypair import generate_private_key, get_public_key, wrap_private_key
from vault.password import RECOMMENDED, derive_keys, make_record
from vault.pepper import Pepper
from vault.reveal import Reveal, seal_answer
from vault.secret import Secret

VECTORS = Path(__file__).with_name("vectors.json")
PASSWORD = "pa\u0308ssword of a test vector"
USER, OTHER, LISTING, DEPOSIT, TRANSACTION = (UUID(int=0x01900000000070008000000000000000 + i) for i in range(1, 6))


class Stream:
    """SHA-256 in counter mode over a seed: reproducible, and plainly not random."""

    def __init__(self, seed: str) -> None:
        self.seed, self.count = seed, 0

    def __call__(self, length: int) -> bytes:
        """The next `length` bytes, at most 32."""
        self.count += 1
        return sha256(f"{self.seed}/{self.count}".encode()).digest()[:length]


def make() -> dict[str, dict[str, str | int]]:
    """Every format once, with all keys in clear."""
    random_bytes = Stream("escrow test vectors")
    record, unlock_key = make_record(PASSWORD, RECOMMENDED, random_bytes)
    keys = derive_keys(PASSWORD, record.salt, RECOMMENDED.stretch)
    pepper = Pepper({3: Secret(random_bytes(32))})
    private_key = generate_private_key(random_bytes)
    pair = wrap_private_key(
        private_key, user_id=USER, key_version=1, unlock_key=unlock_key, pepper=pepper, random_bytes=random_bytes
    )
    public_key = get_public_key(private_key)
    document = make_document({"password": "hünter2", "username": "shop"}, random_bytes)
    deposit, key = seal_document(document, listing_id=LISTING, deposit_id=DEPOSIT, version=1, random_bytes=random_bytes)
    grant = grant_delivery(key, deposit, transaction_id=TRANSACTION, buyer_id=USER, buyer_key=public_key)
    client_key = generate_private_key(random_bytes)
    reveal = Reveal(transaction_id=TRANSACTION, deposit_id=DEPOSIT, user_id=USER, command_id=random_bytes(32))
    return {
        "password": {
            "password": PASSWORD,
            "salt": record.salt.hex(),
            "memory_kib": record.memory_kib,
            "iterations": record.iterations,
            "lanes": record.lanes,
            "auth_key": keys.auth_key.reveal().hex(),
            "unlock_key": keys.unlock_key.reveal().hex(),
            "verifier": record.verifier,
        },
        "key_pair": {
            "user_id": str(USER),
            "key_version": pair.key_version,
            "suite": pair.suite,
            "private_key": private_key.reveal().hex(),
            "public_key": pair.public_key.hex(),
            "fingerprint": public_key.fingerprint,
            "key_commitment": pair.key_commitment.hex(),
            "pepper_version": pair.pepper_version,
            "pepper": pepper.get_key(3).reveal().hex(),
            "pepper_proof": pepper.prove(3).hex(),
            "wrapped_private_key": pair.wrapped_private_key.hex(),
        },
        "deposit": {
            "listing_id": str(LISTING),
            "deposit_id": str(DEPOSIT),
            "version": deposit.version,
            "suite": deposit.suite,
            "key": key.reveal().hex(),
            "document": document.content.reveal().decode(),
            "commitment": deposit.commitment.hex(),
            "ciphertext": deposit.ciphertext.hex(),
        },
        "grant": {
            "purpose": grant.purpose,
            "transaction_id": str(TRANSACTION),
            "suite": grant.suite,
            "sealed": grant.sealed.hex(),
        },
        "reveal": {
            "command_id": reveal.command_id.hex(),
            "client_private_key": client_key.reveal().hex(),
            "sealed": seal_answer(document, reveal, get_public_key(client_key).raw).hex(),
        },
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(make(), indent=2, ensure_ascii=False) + "\n")
