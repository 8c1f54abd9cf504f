"""Whether a request is only tried: read in one place, so that the access log calls nothing else rehearsed."""

from starlette.types import Scope

from api.http.query import read_flag, read_query

DRY_RUN = "escrow.dry_run"


def read_dry_run(scope: Scope) -> bool:
    """Return what the query says of it, where it may say nothing else. Raises QueryInvalid."""
    is_dry = read_flag(read_query(scope, "dry_run").get("dry_run"))
    scope[DRY_RUN] = is_dry
    return is_dry


def was_dry(scope: Scope) -> bool:
    """Whether the route has read that nothing is to happen; a parameter that nobody reads changes nothing."""
    return scope.get(DRY_RUN) is True
