"""What parties may do besides disputing: take a dispute back, give more time, and say that they have access."""

from datetime import datetime, timedelta
from typing import cast

from tests.api.running import Installation, JsonObject
from tests.weaknesses.running import read

T = "/api/v1/transactions"
A = "/api/v1/admin/transactions"
WORDS = "I have changed the password myself, all is well"


def disputes(view: JsonObject) -> list[JsonObject]:
    return cast("list[JsonObject]", view["disputes"])


def test_who_opened_a_dispute_takes_it_back_and_nobody_else(installation: Installation) -> None:
    transaction, people = installation.hold(), installation.people
    opened = people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "not_working"})
    path = f"{T}/{transaction}/disputes/{disputes(opened)[0]['dispute_id']}/withdraw"
    for name, status, code in (
        ("seller", 403, "forbidden"),
        ("super_admin", 403, "forbidden"),
        ("stranger", 404, "not_found"),
    ):
        refused = people[name].post(path)
        assert (refused.status_code, refused.json()["code"]) == (status, code), name
    back = people["buyer"].must(path)
    assert (back["state"], disputes(back)[0]["finding"]) == ("funds_held", "withdrawn")
    again = people["buyer"].post(path)
    assert (again.status_code, again.json()["code"]) == (409, "dispute_unknown")


def test_the_seller_gives_the_buyer_more_time_to_look(installation: Installation) -> None:
    transaction, people = installation.sold(), installation.people
    more = {"seconds": 3600, "reason": "the buyer travels and asked for it"}
    path = f"{T}/{transaction}/inspection/extend"
    early = people["seller"].post(path, more)
    assert (early.status_code, early.json()["code"]) == (409, "not_revealed")
    installation.reveal(transaction)
    before = installation.view(transaction)["deadline"]
    assert people["buyer"].post(path, more).status_code == 403
    assert people["seller"].post(path, {**more, "seconds": 0}).status_code == 422
    after = people["seller"].must(path, more)["deadline"]
    assert _at(after) - _at(before) == timedelta(hours=1)


def _at(deadline: object) -> datetime:
    return datetime.fromisoformat(str(cast("JsonObject", deadline)["at"]))


def test_the_buyers_statement_stands_in_the_log_as_a_hash_only(installation: Installation) -> None:
    transaction, people = installation.hold(), installation.people
    path, body = f"{T}/{transaction}/state-access", {"statement": WORDS}
    assert people["seller"].post(path, body).status_code == 403
    people["buyer"].must(f"{path}?dry_run=true", body)
    stated = "SELECT data::text FROM event_log WHERE stream = %s AND type = 'transaction.statement_recorded.v1'"
    assert read(installation, stated, transaction) == []
    first = people["buyer"].post(path, body, key=f"statement-{transaction}")
    again = people["buyer"].post(path, body, key=f"statement-{transaction}")
    assert (first.status_code, again.content) == (200, first.content), first.text
    ((data,),) = read(installation, stated, transaction)
    assert WORDS not in str(data)
