"""Every phase of docs/explanation/phases-and-tracks.md can be reached, and is derived as that page says."""

import pytest

from domain.transaction.phase import Phase
from tests.domain.paths import PHASES, pending


@pytest.mark.parametrize("phase", [phase.value for phase in Phase])
def test_a_story_leads_to_every_phase(phase: str):
    assert PHASES[phase](pending()).phase == phase
