"""What a reader sees of a text, by the categories of Unicode."""

import unicodedata

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp"})
"""Controls, formats, spaces, and marks that need a letter to stand on."""
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by their category that show nothing: Hangul fillers and the empty Braille cell."""
DIRECTING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates: they make what follows read in another order than it is stored in."""


def is_visible(text: str) -> bool:
    """Whether anything of it can be seen."""
    return any(unicodedata.category(character) not in UNSEEN and character not in BLANK for character in text)


def redirects(text: str) -> bool:
    """Whether it can pass for another text by changing the direction in which it is shown."""
    return not DIRECTING.isdisjoint(text)


def is_single_line(text: str) -> bool:
    """Whether it has no control characters and no separators of lines or paragraphs."""
    return not any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text)
