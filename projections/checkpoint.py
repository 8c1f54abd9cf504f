"""How far each projection is, and who may move it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from psycopg import Connection
from psycopg.rows import TupleRow

from database.queries import load
from domain.errors import EscrowError

SQL = load("projections", "checkpoint.sql")
LIVE = "public"
"""The schema of the tables that serve; every other one is somebody's shadow of them."""


class NotInstalled(EscrowError):
    """The tables of this projection are missing here, or of another version; run `escrow migrate`."""

    code = "projection_not_installed"
    status = 503


class Fenced(EscrowError):
    """Another runner has taken over these projections; this one has to stop writing."""

    code = "projection_fenced"
    status = 409


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything up to `position` is in the tables; `fence` is that of the runner that may write."""

    name: str
    position: int
    fence: int
    version: int


def enter_schema(connection: Connection[TupleRow], schema: str) -> None:
    """Let names mean tables of this schema, until the end of the transaction."""
    _ = connection.execute(SQL.enter_schema, (schema,))


def lock_checkpoints(connection: Connection[TupleRow], versions: Mapping[str, int]) -> dict[str, Checkpoint]:
    """Return the checkpoints by name, locked until the end of the transaction; raise `NotInstalled`."""
    rows = connection.execute(SQL.lock, (sorted(versions),)).fetchall()
    found = [Checkpoint(*row) for row in cast("list[tuple[str, int, int, int]]", rows)]
    if {checkpoint.name: checkpoint.version for checkpoint in found} != dict(versions):
        raise NotInstalled(projections=sorted(versions))
    return {checkpoint.name: checkpoint for checkpoint in found}


def require_fences(checkpoints: Iterable[Checkpoint], fences: Mapping[str, int]) -> None:
    """Raise `Fenced` when somebody else took over one of the projections since."""
    lost = [checkpoint.name for checkpoint in checkpoints if fences[checkpoint.name] != checkpoint.fence]
    if lost:
        raise Fenced(projections=lost)


def advance_checkpoints(connection: Connection[TupleRow], names: Sequence[str], position: int) -> None:
    """Record, in the transaction that writes the rows, that everything up to `position` is in them."""
    _ = connection.execute(SQL.advance, {"names": list(names), "position": position})


def resolve_errors(connection: Connection[TupleRow], names: Sequence[str]) -> None:
    """End the stops of live projections that are past them, in the transaction that moved their checkpoints."""
    _ = connection.execute(SQL.resolve_errors, (list(names),))


def take_over(connection: Connection[TupleRow], names: Sequence[str]) -> dict[str, int]:
    """Raise the fences of these projections in the present schema and return them: whoever came before is out."""
    rows = cast("list[tuple[str, int]]", connection.execute(SQL.take_over, (list(names),)).fetchall())
    return dict(rows)
