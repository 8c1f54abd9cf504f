"""Events survive the way to bytes and back, and nothing else is taken for an event."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from types import NoneType
from typing import NamedTuple, NewType, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.actor import Role
from domain.event import Event
from domain.journal import Account, Posting
from domain.money import Currency, Money
from domain.policy import Terms
from eventstore.converter import UnsupportedAnnotation, form_of
from eventstore.transcoder import (
    UPCASTERS,
    Undecodable,
    Unencodable,
    Upcaster,
    decode,
    encode,
    list_event_classes,
    parse,
)

STREAM = UUID("01890000-0000-7000-8000-00000000abcd")
PartyId = NewType("PartyId", UUID)


class Kind(StrEnum):
    SMALL = "small"
    GREAT = "great"


class Line(NamedTuple):
    kind: Kind
    amount: int


@dataclasses.dataclass(frozen=True, slots=True)
class Box:
    zebra: str
    ant: Money | None


class EverythingHappened(Event):
    """One field of every type that the log knows."""

    TOPIC = "test.everything_happened.v1"

    text: str
    number: int
    flag: bool
    nothing: None
    maybe: str | None
    party_id: PartyId
    kind: Kind
    at: datetime | None
    raw: bytes
    line: Line
    lines: tuple[Line, ...]
    names: tuple[str, ...]
    box: Box
    boxes: tuple[Box, ...]
    terms: Terms
    postings: tuple[Posting, ...]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
TIMES = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
SIMPLE = {
    str: TEXT,
    int: st.integers(),
    bool: st.booleans(),
    NoneType: st.none(),
    None: st.none(),
    UUID: st.uuids(),
    datetime: TIMES.filter(lambda at: 2 < at.year < 9998),
    bytes: st.binary(max_size=20),
}


def values_of(annotation):
    """Values of the annotated type, whether the rules of the domain would allow them or not."""
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    if isinstance(annotation, NewType):
        return values_of(annotation.__supertype__)
    if get_origin(annotation) is tuple:
        return st.lists(values_of(get_args(annotation)[0]), max_size=3).map(tuple)
    if not isinstance(annotation, type):
        return st.one_of([values_of(part) for part in get_args(annotation)])
    return st.sampled_from(annotation) if issubclass(annotation, StrEnum) else records_of(annotation)


def records_of(kind):
    hints = get_type_hints(kind)
    if issubclass(kind, tuple):
        return st.tuples(*[values_of(hints[name]) for name in kind._fields]).map(lambda parts: kind(*parts))
    names = [field.name for field in dataclasses.fields(kind)]
    return st.fixed_dictionaries({name: values_of(hints[name]) for name in names}).map(
        lambda facts: unchecked(kind, facts)
    )


def unchecked(kind, facts):
    made = object.__new__(kind)
    for name, value in facts.items():
        object.__setattr__(made, name, value)
    return made


def events_of(kind):
    hints = get_type_hints(kind) | {"originator_id": UUID}
    facts = {field.name: values_of(hints[field.name]) for field in dataclasses.fields(kind)}
    facts["originator_version"] = st.integers(1, 10**6)
    if "originator_topic" in facts:
        facts["originator_topic"] = st.sampled_from(aggregate_topics())
    return st.fixed_dictionaries(facts).map(lambda values: kind(**values))


def aggregate_topics():
    from domain.aggregate import Aggregate

    def descend(kind):
        return [kind, *(found for child in kind.__subclasses__() for found in descend(child))]

    return [kind.TOPIC for kind in descend(Aggregate) if "TOPIC" in kind.__dict__]


KINDS = sorted(list_event_classes().items())


EACH_KIND = pytest.mark.parametrize("kind", [kind for _, kind in KINDS], ids=[topic for topic, _ in KINDS])
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def check_bytes(event):
    """An event comes back from its bytes as it was, and they are what a plain canonical JSON writer would write."""
    state = encode(event)
    again = decode(event.TOPIC, state, event.originator_id, event.originator_version)
    assert again == event
    assert [type(value) for value in vars(again).values()] == [type(vars(event)[name]) for name in vars(again)]
    assert encode(again) == state
    plain = json.dumps(json.loads(state), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert plain.encode() == state


@EACH_KIND
@settings(UNHURRIED, max_examples=10)
@given(data=st.data())
def test_every_event_comes_back_from_its_canonical_bytes_as_it_was(kind, data):
    check_bytes(data.draw(events_of(kind)))


@pytest.mark.soak
@EACH_KIND
@settings(UNHURRIED, max_examples=100)
@given(data=st.data())
def test_a_hundred_of_every_event_come_back_from_their_canonical_bytes_as_they_were(kind, data):
    check_bytes(data.draw(events_of(kind)))


def everything(**changes):
    facts = {
        "originator_id": STREAM,
        "originator_version": 3,
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "actor_id": "deadlines",
        "actor_role": Role.SYSTEM,
        "command_id": "ab" * 32,
        "request_digest": "cd" * 32,
        "request_id": "r1",
        "text": 'é "quoted" \n\\u0000',
        "number": 7,
        "flag": True,
        "nothing": None,
        "maybe": None,
        "party_id": STREAM,
        "kind": Kind.GREAT,
        "at": datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=1))),
        "raw": b"\x00\xff",
        "line": Line(Kind.SMALL, -1),
        "lines": (Line(Kind.SMALL, 1), Line(Kind.GREAT, 2)),
        "names": ("a", "b"),
        "box": Box("z", Money(5, Currency.NGN)),
        "boxes": (),
        "terms": Terms(),
        "postings": (Posting(Account.HELD, "s", -5),),
    }
    return EverythingHappened(**(facts | changes))


def test_the_bytes_of_one_event_are_frozen():
    assert encode(everything()).decode() == (
        '{"actor_id":"deadlines","actor_role":"system","at":"2026-01-01T00:02:03.000004Z",'
        '"box":{"ant":{"amount_minor":5,"currency":"NGN"},"zebra":"z"},"boxes":[],'
        f'"command_id":"{"ab" * 32}","flag":true,"kind":"great","line":["small",-1],'
        '"lines":[["small",1],["great",2]],"maybe":null,"names":["a","b"],"nothing":null,"number":7,'
        '"party_id":"01890000-0000-7000-8000-00000000abcd","postings":[["escrow:held","s",-5]],"raw":"AP8=",'
        f'"request_digest":"{"cd" * 32}","request_id":"r1",'
        '"terms":{"fee_bps":1000,"inspection_seconds":259200,"payment_seconds":86400,"reserve_bps":0,'
        '"reveal_seconds":259200,"signing_seconds":259200,"silence":"release","tax_bps":0,"warranty_seconds":0},'
        '"text":"é \\"quoted\\" \\n\\\\u0000","timestamp":"2026-01-01T00:00:00.000000Z"}'
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 1.0},
        {"number": True},
        {"flag": 1},
        {"text": 5},
        {"text": "a\0b"},
        {"names": ("ok", "\0")},
        {"text": "\ud800"},
        {"kind": "huge"},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"lines": [Line(Kind.SMALL, 1)]},
        {"line": ("small", 1.0)},
        {"line": ("small",)},
        {"party_id": str(STREAM)},
        {"box": None},
    ],
    ids=repr,
)
def test_a_value_that_could_not_come_back_is_refused_before_it_is_written(changes):
    with pytest.raises(Unencodable):
        encode(everything(**changes))


def test_what_is_equal_to_a_value_of_the_annotated_type_comes_back_as_one():
    event = everything(line=("great", 1), kind="great")
    again = decode(EverythingHappened.TOPIC, encode(event), STREAM, 3)
    assert again == event
    assert (type(again.line), again.line.kind, again.kind) == (Line, Kind.GREAT, Kind.GREAT)
    assert type(again.line.kind) is type(again.kind) is Kind


def changed(**changes):
    fields = parse(encode(everything())) | changes
    return json.dumps(
        {name: value for name, value in fields.items() if value != "absent"}, separators=(",", ":")
    ).encode()


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"{}{}",
        b"[" * 100_000,
        changed(extra=1),
        changed(text="absent"),
        changed(number=1.5),
        changed(number="1"),
        changed(number=True),
        changed(flag=1),
        changed(kind="huge"),
        changed(at="2026-01-01T00:00:00Z"),
        changed(at="2026-01-01 00:00:00.000000Z"),
        changed(at="2026-W01-1T00:00:00.000000Z"),
        changed(at="2026-01-01T00:00:00,000000Z"),
        changed(at="2026-01-01T01:00:00.00+01:00"),
        changed(party_id=str(STREAM).upper()),
        changed(party_id="{" + str(STREAM)[1:]),
        changed(raw="AP8"),
        changed(raw="AP9="[:3] + "!"),
        changed(line=["small"]),
        changed(line={}),
        changed(lines={}),
        changed(box={"ant": None}),
        changed(box={"ant": None, "zebra": "z", "yak": 1}),
        changed(box=[]),
        changed(nothing=0),
        changed(text=None),
        changed(raw="AP9="),
        encode(everything()) + b" ",
        b" " + encode(everything()),
        encode(everything()).replace(b'"number":7', b'"number": 7'),
        encode(everything()).replace(b'"number":7', b'"number":7,"number":7'),
        encode(everything()).replace(b'"number":7', b'"number":7.0'),
        encode(everything()).replace(b'"great"', b'"gre\\u0061t"'),
        json.dumps(dict(reversed(parse(encode(everything())).items())), separators=(",", ":")).encode(),
        encode(everything()).replace(b'"number":7', b'"number":NaN'),
    ],
)
def test_what_is_not_exactly_the_event_is_undecodable_and_named(state):
    with pytest.raises(Undecodable) as caught:
        decode(EverythingHappened.TOPIC, state, STREAM, 3, position=41)
    assert caught.value.facts["position"] == 41
    assert caught.value.facts["topic"] == EverythingHappened.TOPIC
    assert "41" in str(caught.value)


@pytest.mark.parametrize("topic", ["", "nobody.knows.v1", "os", "os:system", "domain.event:Event", "antigravity"])
def test_an_unknown_topic_is_undecodable_and_imports_nothing(topic):
    import sys

    with pytest.raises(Undecodable):
        decode(topic, b"{}", STREAM, 1)
    assert "antigravity" not in sys.modules


def test_a_created_event_of_an_unknown_aggregate_is_undecodable():
    from tests.eventstore.toys import Opened

    state = (
        b'{"actor_id":"a","actor_role":"system","command_id":"c","currency":"NGN","name":"n",'
        b'"originator_topic":"antigravity","request_digest":"d","request_id":"r","timestamp":"2026-01-01T00:00:00.000000Z"}'
    )
    with pytest.raises(Undecodable):
        decode(Opened.TOPIC, state, STREAM, 1)
    decode(Opened.TOPIC, state.replace(b"antigravity", b"toy"), STREAM, 1)


def test_an_old_topic_is_upcast_step_by_step_to_the_newest(monkeypatch):
    def rename(fields):
        fields["number"] = fields.pop("count")
        return fields

    for topic, newer, convert in [
        ("test.everything_happened.v0", "test.everything_happened.v0.5", rename),
        ("test.everything_happened.v0.5", EverythingHappened.TOPIC, lambda fields: fields | {"flag": True}),
    ]:
        monkeypatch.setitem(UPCASTERS, topic, Upcaster(newer, convert))
    old = changed(number="absent", flag="absent", count=7)
    assert decode("test.everything_happened.v0", old, STREAM, 3) == everything()
    with pytest.raises(Undecodable) as caught:
        decode("test.everything_happened.v0", b"{}", STREAM, 3, position=1)
    assert caught.value.facts["topic"] == "test.everything_happened.v0"


@pytest.mark.parametrize("annotation", [float, list[int], dict[str, int], int | str, tuple[int, str], object, Event])
def test_types_without_a_canonical_form_are_refused_when_the_class_is_compiled(annotation):
    with pytest.raises(UnsupportedAnnotation):
        form_of(annotation)
