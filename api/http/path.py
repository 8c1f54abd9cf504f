"""Ids in the path of a request. Apart from the query: commands read words as the API does, without its framework."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BeforeValidator, WithJsonSchema

from api.http.query import UUID_SCHEMA, QueryInvalid, parse_id
from domain.errors import NotFound


def _read_path_id(text: object) -> UUID:
    """One spelling per id. What is no id at all names nothing, like the id of something that does not exist."""
    if not isinstance(text, str):
        raise NotFound
    found = parse_id(text)
    if found is None:
        raise NotFound
    if str(found) != text:
        raise QueryInvalid
    return found


PathId = Annotated[UUID, Path(), BeforeValidator(_read_path_id), WithJsonSchema(UUID_SCHEMA)]
