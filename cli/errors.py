"""What keeps a program from starting. Apart from `failure`, which knows every refusal and takes long to import."""

from domain.errors import EscrowError


class NotReady(EscrowError):
    """Something that the program needs before it can start is missing or wrong."""

    code = "not_ready"
