"""How this installation is, as operators and load balancers see it."""

from datetime import datetime

from pydantic import BaseModel


class Status(BaseModel):
    """One word."""

    status: str


class ProjectionView(BaseModel):
    """How far one read model is; `error` names the kind of error that stopped it, and its alert says the rest."""

    name: str
    position: int
    lag: int
    updated_at: datetime | None
    error: str | None


class ProjectionsView(BaseModel):
    """The head of the log and every read model."""

    head: int
    projections: list[ProjectionView]


class HealthView(BaseModel):
    """`ok`, `degraded` while a read model or the reactions stand still, `unavailable` without the database.

    `reactions` is `ok`, or says why no money moves after a restore, and what is in the way.
    """

    status: str
    database: str
    reactions: str
    head: int | None
    projections: list[ProjectionView]
