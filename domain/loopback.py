"""Which hosts are this machine: only there does a key or password go out without TLS."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
