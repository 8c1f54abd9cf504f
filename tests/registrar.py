"""People of the tests that are not about passwords: the same in every database, so that Argon2id works once for each.

The records are real and made at the cost that the product demands; another database is given the same ones.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

from vault.gate import Gate
from vault.locksmith import FIRST_KEY_VERSION, Enrolment, Locksmith
from vault.password import FLOOR, PasswordCosts
from vault.pepper import Pepper
from vault.secret import Secret

COSTS = PasswordCosts(stretch=FLOOR, verifier=FLOOR)


def open_locksmith(random_bytes: Callable[[int], bytes] = os.urandom) -> Locksmith:
    """The locksmith of an installation of the tests."""
    return Locksmith(pepper=make_pepper(), gate=Gate(), costs=COSTS, random_bytes=random_bytes)


def make_pepper() -> Pepper:
    """The pepper of all installations of the tests."""
    return Pepper({1: Secret(bytes(32))})


class Registrar(Locksmith):
    """Enrols whoever is new to this process, and knows again whoever is not."""

    def __init__(self) -> None:
        super().__init__(pepper=make_pepper(), gate=Gate(), costs=COSTS, random_bytes=os.urandom)
        self._known: dict[tuple[UUID, str, int], Enrolment] = {}

    async def enrol(self, user_id: UUID, password: str, *, key_version: int = FIRST_KEY_VERSION) -> Enrolment:
        known = self._known.get((user_id, password, key_version))
        if known is None:
            known = await super().enrol(user_id, password, key_version=key_version)
            self._known[user_id, password, key_version] = known
        return known


REGISTRAR = Registrar()


def bits_of(name: str) -> Callable[[int], bytes]:
    """What the id of this person is made of, instead of chance."""
    return lambda size: sha256(name.encode()).digest()[:size]
