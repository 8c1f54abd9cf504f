"""The outside journal: what clients asked for and what they were told, durable before they go on.

One line of JSON per invocation, answer, read and publication, with the monotonic nanoseconds at which it happened.
"""

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Journal:
    """Append-only; every line reaches the disk before the next step of whoever writes it."""

    def __init__(self, path: Path, *, is_durable: bool = True) -> None:
        """Not durable where the clients' process cannot die and has thousands of lines a second to write."""
        self.path = path
        self._is_durable = is_durable
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.acked = 0

    def invoke(self, command: str) -> None:
        """A client is about to send this command, perhaps not for the first time."""
        self._write(kind="invoke", command=command, ns=time.monotonic_ns())

    def complete(self, command: str, outcome: str, **reply: object) -> None:
        """A client knows: `acked`, `rejected` or `unknown`; `reply` is what it was told."""
        self.acked += outcome == "acked"
        self._write(kind="complete", command=command, ns=time.monotonic_ns(), outcome=outcome, **reply)

    def read(self, stream: str, balance: int, began: int) -> None:
        """Somebody looked into a purse."""
        self._write(kind="read", stream=stream, balance=balance, began=began, ended=time.monotonic_ns())

    def publish(self, command: str) -> None:
        """Somebody outside was told that this had happened."""
        self._write(kind="publish", command=command, ns=time.monotonic_ns())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _write(self, **line: object) -> None:
        os.write(self._file, (json.dumps(line) + "\n").encode())
        if self._is_durable:
            os.fdatasync(self._file)
