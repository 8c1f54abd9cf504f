"""Answers that no program on the way may keep: tokens, seeds, codes and keys."""

from pydantic import BaseModel
from starlette.responses import Response


def answer_unstored(view: BaseModel, status: int = 200) -> Response:
    """Answer with the view, and `Cache-Control: no-store`."""
    return Response(view.model_dump_json(), status, {"Cache-Control": "no-store"}, "application/json")
