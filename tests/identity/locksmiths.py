"""Locksmiths who ask more of a password than the desk's."""

from random import Random

from tests.identity.conftest import COSTS
from vault.gate import Gate
from vault.locksmith import Locksmith
from vault.password import Argon2Cost, PasswordCosts
from vault.pepper import Pepper
from vault.secret import Secret

TODAY = PasswordCosts(stretch=Argon2Cost(memory_kib=20 * 1024, iterations=3, lanes=1), verifier=COSTS.verifier)


def make_locksmith(gate: Gate, costs: PasswordCosts) -> Locksmith:
    """With the pepper of the desk."""
    pepper = Pepper({1: Secret(Random(1).randbytes(32))})
    return Locksmith(pepper=pepper, gate=gate, costs=costs, random_bytes=Random(3).randbytes)
