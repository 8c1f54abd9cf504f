"""The secret key: says by its prefix whether money is real, and never shows itself."""

from domain.errors import EscrowError
from gateways.payment import Mode

_PREFIXES = {"sk_test_": Mode.TEST, "sk_live_": Mode.LIVE}


class SecretKeyInvalid(EscrowError):
    """PAYSTACK_SECRET_KEY must start with sk_test_ or sk_live_ and hold only letters, digits and "_" after that."""

    code = "paystack_secret_key_invalid"
    status = 500


class SecretKey:
    """A Paystack secret key, `sk_test_…` or `sk_live_…`; `repr` and `str` show only the mode."""

    __slots__ = ("_value", "mode")

    def __init__(self, value: str) -> None:
        """Raise `SecretKeyInvalid`, without repeating the value, for anything else."""
        mode = _PREFIXES.get(value[:8])
        if mode is None or not (value.isascii() and value[8:].replace("_", "").isalnum()):
            raise SecretKeyInvalid
        self._value = value
        self.mode: Mode = mode

    def reveal(self) -> str:
        """Return the key itself: for the Authorization header and the webhook signature, nowhere else."""
        return self._value

    def __repr__(self) -> str:
        """Show the mode only."""
        return f"SecretKey(sk_{self.mode}_[redacted])"

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key must not travel in a dump."""
        raise SecretKeyInvalid
