"""Nothing of the vault shows a secret when it is printed, logged or pickled."""

import base64
import copy
import pickle
from urllib.parse import quote

import pytest

from tests.vault.conftest import PLAINTEXT, Scene
from vault.gate import Gate
from vault.locksmith import Locksmith
from vault.password import FLOOR, PasswordCosts, derive_keys
from vault.secret import Secret


def every_form(secret: bytes) -> list[str]:
    return [secret.hex(), repr(secret)[2:-1], base64.b64encode(secret).decode(), quote(secret)]


def test_repr_str_and_format_of_everything_show_no_secret(scene: Scene):
    costs = PasswordCosts(stretch=FLOOR, verifier=FLOOR)
    keys = derive_keys("canary-password", bytes(16), FLOOR)
    gate = Gate()
    locksmith = Locksmith(pepper=scene.pepper, gate=gate, costs=costs, random_bytes=bytes)
    shown = "".join(
        f"{value!r}{value!s}{value}"
        for value in (scene, scene.pepper, scene.seller, scene.document, scene.key, keys, locksmith, vars(locksmith))
    )
    secrets = [
        b"canary-password",
        PLAINTEXT.encode(),
        scene.document.content.reveal(),
        *(
            secret.reveal()
            for secret in (
                scene.key,
                scene.seller.private_key,
                scene.seller.unlock_key,
                scene.pepper.get_key(1),
                scene.pepper.get_key(2),
                keys.auth_key,
                keys.unlock_key,
            )
        ),
    ]
    assert [form for secret in secrets for form in every_form(secret) if form in shown] == []
    assert "Secret(32 bytes)" in shown


def test_a_secret_is_not_pickled_and_not_a_key():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(b"x"))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret(b"x"))
    with pytest.raises(TypeError):
        hash(Secret(b"x"))


def test_secrets_compare_by_content():
    assert Secret(b"a") == Secret(b"a")
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != b"a"
