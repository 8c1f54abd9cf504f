"""The catalog: search by words, currency and price, whole pages, and nothing that is not for sale."""

from uuid import uuid4

import pytest

from tests.api.running import Installation
from tests.waiting import wait_until

REASON = "a reason that is long"


def sell(
    installation: Installation, title: str, price_minor: int, description: str = "Old.", currency: str = "KES"
) -> str:
    """A listing for sale; its id."""
    seller = installation.people["seller"]
    price = {"amount_minor": price_minor, "currency": currency}
    listing = str(seller.must("/api/v1/listings", {"title": title, "description": description, "price": price})["id"])
    secret = {"credentials": {"username": "someone", "password": "hunter2"}}
    seller.must(f"/api/v1/listings/{listing}/credentials", secret, method="PUT")
    seller.must(f"/api/v1/listings/{listing}/submit")
    installation.people["admin"].must(f"/api/v1/admin/listings/{listing}/approve")
    return listing


def search(installation: Installation, query: str, position: int | None = None) -> list[str]:
    """The ids of every page."""
    found, cursor = [], ""
    while True:
        answer = installation.people["stranger"].get(
            f"/api/v1/catalog?{query}{cursor}", Wait_For_Position=str(position or installation.head())
        )
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.fixture(scope="module")
def shelf(installation: Installation) -> dict[str, str]:
    """Five things for sale, two with the same price."""
    return {
        "garden": sell(installation, "Gardening-Channel", 300, "12,000 readers; sold with kwetu@example.com"),
        "music": sell(installation, "Musik für Gärten", 100, "O'Brien's; \"quoted\" & more"),
        "game": sell(installation, "A game account", 200, "level_99 %wild"),
        "twin": sell(installation, "A twin of the game", 200),
        "naira": sell(installation, "Lagos channel", 150, currency="NGN"),
    }


SEARCHES = {
    "q=gard": {"garden"},
    "q=GARDENING+channel": {"garden"},
    "q=channel": {"garden", "naira"},
    "q=g%C3%A4rten": {"music"},
    "q=o%27brien": {"music"},
    "q=example.com": {"garden"},
    "q=12%2C000": {"garden"},
    "q=level_99": {"game"},
    "q=%25wild": {"game"},
    "q=game+%7C+channel": set(),
    "q=channel&currency=NGN": {"naira"},
    "currency=KES&min_amount_minor=200&max_amount_minor=200": {"game", "twin"},
    "currency=GHS": set(),
}


@pytest.mark.parametrize("query", SEARCHES)
def test_all_words_have_to_be_there_and_may_be_begun(installation: Installation, shelf: dict[str, str], query: str):
    names = {listing: name for name, listing in shelf.items()}
    assert {names[listing] for listing in search(installation, query) if listing in names} == SEARCHES[query]


@pytest.mark.parametrize("order", ["newest", "cheapest", "dearest"])
def test_pages_neither_lose_nor_repeat(installation: Installation, shelf: dict[str, str], order: str):
    query = f"sort={order}&currency=KES"
    whole = search(installation, query)
    assert search(installation, f"{query}&limit=1") == whole
    assert len(set(whole)) == len(whole)
    ours = [listing for listing in whole if listing in shelf.values()]
    if order == "newest":
        assert ours == [shelf[name] for name in ("twin", "game", "music", "garden")]
    else:
        same = sorted((shelf["game"], shelf["twin"]))
        cheapest = [shelf["music"], *same, shelf["garden"]]
        assert ours == (cheapest if order == "cheapest" else cheapest[::-1])


BAD = (
    "q=", "q=%20", "q=%26%7C!", "q=" + "a" * 201, "q=" + "+".join("abcdefghijk"), "q=a&q=b", "q=%00", "q=%FF",
    "currency=kes", "currency=USD%27", "sort=amount;drop", "sort=price", "sort=cheapest", "min_amount_minor=5",
    "currency=KES&min_amount_minor=-1", "currency=KES&min_amount_minor=1e3", "currency=KES&max_amount_minor=%D9%A3",
    "currency=KES&min_amount_minor=9&max_amount_minor=8", "currency=KES&max_amount_minor=1000000000000001",
    "filter[a]=1%27%20or%20%271%27=%271", "state=draft", "seller_id=x", "limit=0",
)  # fmt: skip


@pytest.mark.parametrize("query", BAD)
def test_what_cannot_be_asked_is_refused(installation: Installation, query: str):
    answer = installation.people["stranger"].get(f"/api/v1/catalog?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")


def test_a_cursor_is_good_for_its_search_alone(installation: Installation, shelf: dict[str, str]):
    stranger = installation.people["stranger"]
    cursor = stranger.get("/api/v1/catalog?sort=cheapest&currency=KES&limit=1").json()["next_cursor"]
    for query in ("sort=dearest&currency=KES", "currency=KES", "q=game"):
        answer = stranger.get(f"/api/v1/catalog?{query}&cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


def test_nothing_is_found_that_is_not_for_sale(installation: Installation):
    word = f"z{uuid4().hex}"
    query, people = f"q={word}", installation.people
    draft = {"title": word, "description": "d", "price": {"amount_minor": 9, "currency": "KES"}}
    people["seller"].must("/api/v1/listings", draft)
    assert search(installation, query) == []
    listing = sell(installation, f"{word} for sale", 900)
    assert search(installation, query) == [listing]
    opened = people["buyer"].must("/api/v1/transactions", {"listing_id": listing})["id"]
    assert search(installation, query) == []
    people["buyer"].must(f"/api/v1/transactions/{opened}/cancel", {})
    wait_until(lambda: search(installation, query) == [listing])
    head = installation.head()
    people["admin"].must(f"/api/v1/admin/listings/{listing}/remove", {"reason": REASON})
    assert search(installation, query) == []
    for path in (f"/api/v1/catalog/{listing}", f"/api/v1/catalog/{listing}?as_of={head}"):
        assert people["stranger"].get(path).status_code == 404
        assert people["admin"].get(path).status_code == 200
