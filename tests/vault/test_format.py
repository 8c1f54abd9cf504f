"""What the product makes is opened by another library, of which docs/reference/vault-format.md tells all it knows."""

import base64
import os
from random import Random

from tests.vault.another_library import expand, fields, number, open_gcm
from tests.vault.conftest import Scene, make_id
from vault.gate import Gate
from vault.locksmith import Locksmith
from vault.password import FLOOR, Argon2Cost, PasswordCosts, derive_keys
from vault.pepper_backup import make_backup
from vault.recovery_key import print_recovery_key, wrap_for_recovery
from vault.secret import Secret


def test_a_recovery_key_opens_as_the_page_says(scene: Scene) -> None:
    seller, pepper = scene.seller, scene.pepper
    key = Secret(bytes(range(16)))
    made = wrap_for_recovery(seller.private_key, key, seller.record, pepper=pepper, random_bytes=os.urandom)
    typed = base64.b32decode(print_recovery_key(key).replace("-", "").upper())[:16]
    whose = (seller.id.bytes, number(made.key_version))
    place = (seller.record.suite.encode(), *whose)
    assert expand(typed, fields(b"recovery-commitment", *whose)) == made.key_commitment
    outer = fields(b"peppered-recovery", *place, number(made.pepper_version))
    inner = open_gcm(pepper.get_key(made.pepper_version).reveal(), made.wrapped_private_key, outer)
    unlock_key = expand(typed, fields(b"recovery-unlock-key", *whose))
    assert open_gcm(unlock_key, inner, fields(b"recovery", *place)) == seller.private_key.reveal()


def test_the_secret_of_an_app_opens_as_the_page_says(scene: Scene) -> None:
    gate, costs = Gate(workers=1), PasswordCosts(stretch=FLOOR, verifier=FLOOR)
    locksmith = Locksmith(pepper=scene.pepper, gate=gate, costs=costs, random_bytes=os.urandom)
    user_id, secret = make_id(70), bytes(range(20))
    version, sealed = locksmith.seal_seed(user_id, secret)
    place = fields(b"totp-seed", user_id.bytes, number(version))
    assert open_gcm(scene.pepper.get_key(version).reveal(), sealed, place) == secret


def test_a_backup_of_the_pepper_opens_as_the_page_says() -> None:
    backup = make_backup(b"the pepper file", "a passphrase", Random(1).randbytes)
    header, how, sealed, end = backup.decode("ascii").split("\n")
    method, memory_kib, iterations, lanes, salt = how.split(" ")
    assert (header, method, end) == ("escrow-pepper-backup-v1", "argon2id", "")
    cost = Argon2Cost(memory_kib=int(memory_kib), iterations=int(iterations), lanes=int(lanes))
    unlock_key = derive_keys("a passphrase", base64.b64decode(salt), cost).unlock_key.reveal()
    assert open_gcm(unlock_key, base64.b64decode(sealed), fields(b"pepper-backup")) == b"the pepper file"
