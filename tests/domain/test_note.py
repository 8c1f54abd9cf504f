"""Notes: what staff write down has to be readable, and is added, never changed."""

import pytest

from domain.errors import Forbidden
from domain.transaction.note import NOTE_MAX_LENGTH, NoteInvalid
from domain.transaction.staff_commands import AddNote
from tests.domain.paths import funded, pending
from tests.domain.people import ADMIN, BUYER


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u200d", "\u3164", "x" * (NOTE_MAX_LENGTH + 1)])
def test_a_note_in_which_nothing_can_be_seen_or_too_much_is_refused(text: str):
    funded(pending()).refuses(NoteInvalid, AddNote(text=text), ADMIN)


def test_a_note_is_added_by_staff_and_by_nobody_else():
    story = funded(pending())
    assert story.do(AddNote(text="x" * NOTE_MAX_LENGTH), ADMIN) == ["note_added"]
    story.refuses(Forbidden, AddNote(text="a note"), BUYER)
