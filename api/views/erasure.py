"""What an erasure waits for."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from reactions.erasure import Standing


class OpenMatter(BaseModel):
    """A transaction or listing of yours that has to come to its end first."""

    kind: str
    id: UUID


class ErasureView(BaseModel):
    """How far it is; `possible_at` is the end of the retention period, as far as it is known today."""

    state: str
    possible_at: datetime | None
    open_matters: list[OpenMatter]

    @classmethod
    def of(cls, standing: Standing) -> "ErasureView":
        """Show somebody what stands in the way."""
        return cls(
            state=standing.state,
            possible_at=standing.possible_at,
            open_matters=[OpenMatter(kind=matter.kind, id=matter.id) for matter in standing.open_matters],
        )
