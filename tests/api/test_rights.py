"""The one table of rights: every route has a row, and what a row says about fresh proofs and second factors is so."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from api.app import list_routes
from api.rights import RIGHTS, require_rights
from tests.api.matrix import KINDS, ROWS, send
from tests.api.running import ROLES, WIRE, Installation
from tests.api.signing_in import session_of

Objects = dict[str, dict[str, str]]
MUST_BE_FRESH = (
    "/release",
    "/refund",
    "/refund/account",
    "/compensation",
    "/recovery",
    "/write-off",
    "/reveal",
    "/payout-account",
    "/api-keys",
    "/finalize",
)
"""Release, refund, reveal, payout account, and what leads to them."""
STAFF = ("admin", "super_admin", "auditor", "operator")


def test_the_table_has_a_row_for_every_route_and_no_other() -> None:
    assert set(list_routes()) == RIGHTS.keys(), "say in api/rights.py who may use a route"
    with pytest.raises(LookupError, match="POST /api/v1/unthought-of"):
        require_rights([*list_routes(), "POST /api/v1/unthought-of"])


def test_what_moves_money_or_shows_a_secret_wants_a_fresh_proof_and_no_api_key() -> None:
    for route, right in RIGHTS.items():
        if route.endswith(MUST_BE_FRESH) and not route.startswith("GET"):
            assert right.is_fresh, route
        assert not (right.is_fresh and right.scope), route


@pytest.mark.guarantee("G20", faults="a proof that is five minutes and a second old", runs="every route")
def test_a_stale_proof_is_refused_exactly_where_the_table_says_fresh(
    installation: Installation, objects: Objects
) -> None:
    check_stale(installation, objects)


def check_stale(installation: Installation, objects: Objects) -> None:
    for name in ("buyer", "super_admin"):
        stale = session_of(installation, name, confirmed_ago=timedelta(minutes=5, seconds=1))
        wanting: set[str] = set()
        for route, row in ROWS.items():
            kind = next(each for each in KINDS if each in row)
            answer = send(installation, objects, route, kind, stale)
            fresh = send(installation, objects, route, kind, installation.people[name].token)
            if answer.status_code == 403 and answer.json()["code"] == "second_factor_required":
                wanting.add(route)
            else:
                assert answer.status_code == fresh.status_code < 500, route
        assert wanting == {route for route in ROWS if RIGHTS[route].is_fresh and is_for(route, name)}


def is_for(route: str, name: str) -> bool:
    roles = RIGHTS[route].roles
    return roles is None or not roles.isdisjoint(ROLES[name])


@pytest.mark.guarantee("G20", faults="staff, auditor and operator who have shown a password only", runs="every route")
def test_a_password_alone_gets_no_member_of_staff_beyond_the_own_account(
    installation: Installation, objects: Objects
) -> None:
    tokens = {name: session_of(installation, name, confirmed_ago=None) for name in STAFF}
    for route, row in ROWS.items():
        right = RIGHTS[route]
        if right.is_open or right.roles is None:
            continue
        kind = next(each for each in KINDS if each in row)
        answers = {name: send(installation, objects, route, kind, token).json() for name, token in tokens.items()}
        wanted = {name: "second_factor_required" if name in right.roles else "forbidden" for name in STAFF}
        assert {name: answer.get("code") for name, answer in answers.items()} == wanted, route


@pytest.mark.guarantee("G20", planted="the route for releases forgets that the proof has to be fresh")
def test_a_decision_that_any_old_session_could_take_is_found(
    installation: Installation, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.access.require_fresh", lambda _session, _at: None)
    monkeypatch.setattr("api.command.require_fresh", lambda _session, _at: None)
    with pytest.raises(AssertionError, match=r"^assert set\(\) == "):
        check_stale(installation, objects)


def test_the_key_of_an_account_that_was_disabled_is_no_good(installation: Installation) -> None:
    person = installation.people["super_admin_2"]
    made = person.must("/api/v1/users/me/api-keys", {"name": str(uuid4()), "scopes": ["read", "audit"]})
    headers = {"Authorization": f"Bearer {made['key']}"}
    url = f"{installation.base_url}/api/v1/admin/alerts"
    assert WIRE.get(url, headers=headers).status_code == 200
    with psycopg.connect(installation.superuser_dsn) as connection:
        connection.execute("UPDATE users SET disabled_at = now() WHERE id = %s", (person.id,))
    statuses = [WIRE.get(url, headers=headers).status_code for _ in range(3)]
    assert statuses[1:] == [401, 401]
