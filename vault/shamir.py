"""Shamir's secret sharing over GF(256), byte by byte: some of the shares give the secret, fewer say nothing about it.

A. Shamir, "How to share a secret", 1979; the field is that of AES (FIPS 197 §4.2: x^8 + x^4 + x^3 + x + 1). For backups
made and read on a terminal: the arithmetic does not take the same time for all inputs.
"""

from collections.abc import Mapping
from functools import reduce

from domain.ids import RandomBytes

ORDER = 255
POLYNOMIAL = 0x11B


def multiply(a: int, b: int) -> int:
    """The product in the field."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a > ORDER:
            a ^= POLYNOMIAL
        b >>= 1
    return product


def invert(a: int) -> int:
    """The inverse of what is not zero: a to the power of 254, as a to the power of 255 is one."""
    if a == 0:
        raise ZeroDivisionError
    return reduce(multiply, [a] * (ORDER - 1), 1)


def split(secret: bytes, *, shares: int, needed: int, random_bytes: RandomBytes) -> dict[int, bytes]:
    """Return the shares by their number, 1 and up; any `needed` of them give the secret."""
    if not 1 <= needed <= shares <= ORDER:
        raise ValueError("some of the shares are needed, and there are at most 255")
    # One polynomial per byte of the secret, which is its value at zero; all other coefficients are random.
    higher = [random_bytes(len(secret)) for _ in range(needed - 1)]
    return {number: _evaluate(secret, higher, number) for number in range(1, shares + 1)}


def _evaluate(secret: bytes, higher: list[bytes], at: int) -> bytes:
    coefficients = [secret, *higher]
    value = bytes(len(secret))
    for coefficient in reversed(coefficients):
        value = bytes(multiply(old, at) ^ new for old, new in zip(value, coefficient, strict=True))
    return value


def combine(shares: Mapping[int, bytes]) -> bytes:
    """Return the secret of enough shares; of too few, or of shares that do not belong together, something else."""
    lengths = {len(share) for share in shares.values()}
    if len(lengths) != 1:
        raise ValueError("shares of one secret have one length")
    secret = bytes(lengths.pop())
    for number, share in shares.items():
        weight = _weigh(number, [other for other in shares if other != number])
        secret = bytes(old ^ multiply(weight, byte) for old, byte in zip(secret, share, strict=True))
    return secret


def _weigh(number: int, others: list[int]) -> int:
    """What a share counts for: its Lagrange polynomial at zero."""
    factors = (multiply(other, invert(other ^ number)) for other in others)
    return reduce(multiply, factors, 1)
