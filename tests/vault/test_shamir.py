"""Any two of three shares give the secret back; one says nothing."""

from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.pepper_shares import SharesUnfit, ShareUnreadable, join_shares, make_shares
from vault.shamir import combine, invert, multiply, split

FILE = b"escrow-pepper-v1\n1 " + b"A" * 43 + b"=\n"
BYTES = st.integers(0, 255)


def test_the_field_is_that_of_aes():
    """The examples of FIPS 197 §4.2 and §4.2.1."""
    assert multiply(0x57, 0x83) == 0xC1
    assert multiply(0x57, 0x13) == 0xFE
    assert [multiply(0x57, power) for power in (0x02, 0x04, 0x08, 0x10)] == [0xAE, 0x47, 0x8E, 0x07]
    assert invert(0x53) == 0xCA


@settings(deadline=None)
@given(BYTES, BYTES, BYTES)
def test_it_is_a_field(a: int, b: int, c: int):
    assert multiply(a, b) == multiply(b, a)
    assert multiply(a, multiply(b, c)) == multiply(multiply(a, b), c)
    assert multiply(a, b ^ c) == multiply(a, b) ^ multiply(a, c)
    assert a == 0 or multiply(a, invert(a)) == 1


def test_shares_worked_out_by_hand():
    """f(x) = 0x2A + 0x01 x: at 1, 2 and 3 the secret and the number, added."""
    assert split(b"\x2a", shares=3, needed=2, random_bytes=lambda n: b"\x01" * n) == {
        1: b"\x2b",
        2: b"\x28",
        3: b"\x29",
    }


@settings(deadline=None, max_examples=40)
@given(st.binary(min_size=1, max_size=16), st.integers(1, 5), st.integers(0, 4), st.randoms(use_true_random=False))
def test_enough_shares_give_the_secret_whichever_they_are(secret: bytes, needed: int, more: int, random: Random):
    shares = split(secret, shares=needed + more, needed=needed, random_bytes=random.randbytes)
    for chosen in combinations(shares, needed):
        assert combine({number: shares[number] for number in chosen}) == secret


def test_one_share_of_two_fits_every_secret_equally_well():
    """For each value that the secret could have there is exactly one other share that gives it."""
    share = split(b"\x99", shares=2, needed=2, random_bytes=Random(1).randbytes)[1]
    secrets = {combine({1: share, 2: bytes([other])}) for other in range(256)}
    assert secrets == {bytes([value]) for value in range(256)}


def test_two_of_three_shares_give_the_pepper_file():
    shares = make_shares(FILE, Random(2).randbytes)
    assert len(shares) == 3
    for pair in combinations(shares, 2):
        assert join_shares(pair) == FILE
    assert join_shares(shares) == FILE
    assert all(b"escrow-pepper-v1\n1" not in share for share in shares)


def test_too_few_shares_or_shares_of_different_sets_are_refused():
    shares, others = make_shares(FILE, Random(2).randbytes), make_shares(FILE, Random(3).randbytes)
    for unfit in (shares[:1], [shares[0], shares[0]], [shares[0], others[1]]):
        with pytest.raises(SharesUnfit):
            join_shares(unfit)


def test_a_share_with_any_changed_character_opens_nothing():
    shares = make_shares(FILE, Random(2).randbytes)
    for place in range(len(shares[0])):
        changed = bytearray(shares[0])
        changed[place] ^= 0x01
        with pytest.raises((SharesUnfit, ShareUnreadable)):
            join_shares([bytes(changed), shares[1]])


@pytest.mark.parametrize(
    "content", [b"", FILE, b"\xff" * 99, b"escrow-pepper-share-v1\n" + b"0" * 16 + b"\nshare 1 of 3"]
)
def test_what_is_no_share_is_refused(content: bytes):
    with pytest.raises(ShareUnreadable):
        join_shares([content, content])
