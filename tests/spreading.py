"""How the tests are spread over the workers of pytest-xdist."""

import functools
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent


class ByFile(LoadScopeScheduling):
    """All of a file on one worker, which sets up once what it shares; and all that ask for the demo on one as well."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # The demo's tests take longest and come first, see `begin_with_demo`.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "demo" if asks_for_demo(ROOT / file) else file


def begin_with_demo(items: list[pytest.Item]) -> None:
    """What all wait for in the end begins first."""
    items.sort(key=lambda item: not asks_for_demo(item.path))


@functools.cache
def asks_for_demo(file: Path) -> bool:
    """Whether a test of this file has the fixture `demo`; the one who spreads the tests knows their names only."""
    return "demo: Demo" in file.read_text()
