"""Which of two forms a client wants, by its Accept header."""


def prefers(accept: str | None, wanted: str, usual: str) -> bool:
    """Whether a media type is asked for by name, and not the usual one before it."""
    kinds = [part.partition(";")[0].strip().lower() for part in (accept or "").split(",")]
    known = [kind for kind in kinds if kind in {wanted, usual}]
    return known[:1] == [wanted]
