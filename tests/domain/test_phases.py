"""Every phase of the glossary can be reached, and is derived as the glossary says."""

import pytest

from domain.transaction.phase import Phase
from tests.domain.paths import PHASES, pending


@pytest.mark.parametrize("phase", [phase.value for phase in Phase])
def test_a_story_leads_to_every_phase(phase: str):
    assert PHASES[phase](pending()).phase == phase
