"""Every route of the OpenAPI document by eight identities and five API keys by own, foreign and missing objects."""

from typing import cast

import pytest

from api.rights import RIGHTS
from tests.api.matrix import IDENTITIES, KINDS, ROWS, check_row, make_key, send, unmatched
from tests.api.running import WIRE, Installation
from tests.api.signing_in import sign_in

API_KEYS = {
    "buyer's key": ("buyer", {"read", "trade"}),
    "buyer's key for reading": ("buyer", {"read"}),
    "super_admin's key": ("super_admin", {"read", "trade", "audit"}),
    "auditor's key": ("auditor", {"read", "audit"}),
    "operator's key without audit": ("operator", {"read", "trade"}),
}


@pytest.fixture(scope="module")
def keys(installation: Installation) -> dict[str, str]:
    """Tokens of API keys, by name."""
    made = {name: make_key(installation.people[owner], scopes)["key"] for name, (owner, scopes) in API_KEYS.items()}
    return cast("dict[str, str]", made)


@pytest.mark.guarantee("G20", faults="none", runs="every route")
def test_every_route_has_a_row_and_every_row_a_route(installation: Installation) -> None:
    assert unmatched(installation) == set()


@pytest.mark.guarantee(
    "G20", faults="eight identities, and objects that are one's own, another's, or not there", runs="every route"
)
@pytest.mark.parametrize("route", ROWS)
def test_everybody_gets_what_the_table_says(
    installation: Installation, objects: dict[str, dict[str, str]], route: str
) -> None:
    check_row(installation, objects, route)


@pytest.mark.guarantee("G20", faults="five API keys of different people and scopes", runs="every route")
@pytest.mark.parametrize("route", ROWS)
def test_an_api_key_gets_what_its_person_gets_where_its_scopes_reach(
    installation: Installation, objects: dict[str, dict[str, str]], keys: dict[str, str], route: str
) -> None:
    check_keys(installation, objects, keys, route)


def check_keys(
    installation: Installation, objects: dict[str, dict[str, str]], keys: dict[str, str], route: str
) -> None:
    row, written = ROWS[route], installation.written()
    for kind in (each for each in KINDS if each in row):
        expected = {name: expected_of_key(route, str(row[kind]), name) for name in keys}
        answers = {name: send(installation, objects, route, kind, keys[name]) for name in keys}
        assert {name: answer.status_code for name, answer in answers.items()} == expected, kind
    assert installation.written() == written


def expected_of_key(route: str, codes: str, name: str) -> int:
    """As its person, if the route is for keys at all, has the scope's name, and staff only read."""
    person, scopes = API_KEYS[name]
    right = RIGHTS[route]
    is_staff = person != "buyer"
    needed = {right.scope} | ({"audit"} if is_staff else set())
    reaches = right.scope is not None and needed <= scopes and not (is_staff and right.scope == "trade")
    return int(codes.split()[IDENTITIES.index(person)]) if right.is_open or reaches else 403


def test_a_new_role_and_a_lost_session_count_at_the_next_request(installation: Installation) -> None:
    headers = {"Authorization": f"Bearer {sign_in(installation, 'auditor').token}"}
    me, logout = (f"{installation.base_url}/api/v1/auth/{name}" for name in ("me", "logout"))
    assert WIRE.get(me, headers=headers).status_code == 200
    assert WIRE.post(logout, headers=headers).status_code == 204
    assert WIRE.get(me, headers=headers).status_code == 401
