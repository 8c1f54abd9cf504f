"""`escrow user erase`: everything personal of one person, when nothing stands in the way."""

from collections.abc import Mapping
from uuid import UUID

from cli.connection import run_as
from cli.output import report
from cli.run.user import require_id, require_user
from cli.wiring import eraser_of, open_files
from database.clock import read_clock
from database.connect import Pool
from database.settings import Settings
from domain.errors import Invalid, Refused
from reactions.erasure import Standing, State


class ErasureWaits(Refused):
    """Not yet: something of this person is open, or the retention period runs; the worker does it when it is over."""

    code = "erasure_waits"


class PersonUnclear(Invalid):
    """Say who it is with --email or with --id, not with both: the two can name two people."""

    code = "person_unclear"


def require_one_name(email: str | None, user_id: str | None) -> None:
    """Raise `PersonUnclear` unless exactly one of them is given: who is asked about is who is erased."""
    if (email is None) == (user_id is None):
        raise PersonUnclear


def erase_person(*, email: str | None, user_id: str | None, dry_run: bool, as_json: bool) -> None:
    """Erase, or say what would happen. Raises NotFound and ErasureWaits; with `--json` the facts are printed first."""
    settings = Settings()
    standing = run_as("app", settings, lambda pool: _erase(pool, settings, email, user_id, dry_run=dry_run))
    sentence = f"{standing.user_id}: {standing.state}" + (" (nothing was done)" if dry_run else "")
    report({**describe(standing), "dry_run": dry_run}, sentence, as_json=as_json)
    if standing.state is State.WAITING:
        raise ErasureWaits(
            possible_at=None if standing.possible_at is None else standing.possible_at.isoformat(),
            open=[f"{matter.kind} {matter.id}" for matter in standing.open_matters],
        )


def describe(standing: Standing) -> Mapping[str, object]:
    """Return what a program reads."""
    return {
        "user_id": standing.user_id,
        "state": standing.state,
        "possible_at": standing.possible_at,
        "open": [{"kind": matter.kind, "id": matter.id} for matter in standing.open_matters],
    }


async def _erase(pool: Pool, settings: Settings, email: str | None, user_id: str | None, *, dry_run: bool) -> Standing:
    person = await _find(pool, email, user_id)
    eraser = eraser_of(settings, pool, read_clock, open_files(settings))
    if dry_run:
        return await eraser.look(person)
    await eraser.request(person)
    return await eraser.erase(person)


async def _find(pool: Pool, email: str | None, user_id: str | None) -> UUID:
    if user_id is not None:
        return require_id(user_id)
    return (await require_user(pool, email or "")).id
