"""What every body is made of: strict models, ids in one spelling, texts of which something can be seen."""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.http.query import UUID_SCHEMA, parse_id
from domain.text import is_single_line, is_visible, redirects


def _read_body_id(text: object) -> UUID:
    found = parse_id(text) if isinstance(text, str) else None
    if found is None or str(found) != text:
        raise ValueError("not a UUID in canonical form")
    return found


BodyId = Annotated[UUID, BeforeValidator(_read_body_id), WithJsonSchema(UUID_SCHEMA)]


def _check_visible(text: str) -> str:
    if text and not is_visible(text):
        raise PydanticCustomError("text_invisible", "nothing of it can be seen")
    return text


def _check_single_line(text: str) -> str:
    if not is_single_line(text):
        raise PydanticCustomError("text_not_single_line", "a single line is needed")
    if redirects(text):
        raise PydanticCustomError("text_redirects", "characters that change the direction of text are refused here")
    return text


Prose = Annotated[str, AfterValidator(_check_visible)]
"""A text of any length and number of lines, of which something can be seen."""
SingleLine = Annotated[Prose, AfterValidator(_check_single_line)]
"""One line that reads as it is stored."""


class Body(BaseModel):
    """The base of every body: nothing is converted, nothing is ignored, nothing is shown again."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        """Nothing: what somebody typed does not stand in a message for whoever looks for a fault."""
        return ()


class Nothing(Body):
    """The body of a command that says everything in its address: absent, or `{}`."""
