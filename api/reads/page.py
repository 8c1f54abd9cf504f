"""Pages of lists, and a signed cursor for what comes next."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from api.errors import CursorInvalid
from api.reads.cursor import Key, read_cursor, write_cursor
from api.reads.reading import Reader
from projections.page import Moment

V = TypeVar("V", bound=BaseModel)
R = TypeVar("R")


class Page(BaseModel, Generic[V]):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[V]
    next_cursor: str | None


def _scope_of(reader: Reader, name: str) -> str:
    """Name the list, its filters and the user: a cursor is good for nothing else."""
    filters = sorted((key, value) for key, value in reader.query.items() if key not in {"cursor", "limit"})
    return repr((name, str(reader.session.user_id), filters))


def read_last_key(reader: Reader, name: str) -> Key | None:
    """Return the key of the last row of the page before, None on the first page. Raises CursorInvalid."""
    cursor = reader.query.get("cursor")
    return None if cursor is None else read_cursor(reader.dependencies.shared_key, _scope_of(reader, name), cursor)


def read_moment_cursor(reader: Reader, name: str) -> Moment | None:
    """Return the place after which the page begins. Raises CursorInvalid."""
    match read_last_key(reader, name):
        case None:
            return None
        case [str(at), str(row_id)]:
            return datetime.fromisoformat(at), UUID(row_id)
        case _:
            raise CursorInvalid


def read_position_cursor(reader: Reader, name: str) -> int:
    """Return the position after which the page begins, 0 for the first. Raises CursorInvalid."""
    match read_last_key(reader, name):
        case None:
            return 0
        case [int(position)]:
            return position
        case _:
            raise CursorInvalid


def make_page(reader: Reader, name: str, rows: Sequence[R], show: Callable[[R], V], key: Callable[[R], Key]) -> Page[V]:
    """Return the first `limit` of the rows, of which one more was asked for, with a cursor if there are more."""
    shown = rows[: reader.limit]
    cursor = None
    if len(rows) > len(shown):
        cursor = write_cursor(reader.dependencies.shared_key, _scope_of(reader, name), key(shown[-1]))
    return Page[V](items=[show(row) for row in shown], next_cursor=cursor)
