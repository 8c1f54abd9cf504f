"""The supervisor of the embedded server, as far as it can be tried without one."""

import os

from database import supervisor


def test_it_waits_no_longer_than_it_says_however_often_the_server_has_died(monkeypatch):
    waited = []
    monkeypatch.setattr(supervisor.select, "select", lambda *_, **__: ([], [], []))
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: waited.append(1) or next(clock))
    for deaths in (1, 60, 1024, 100_000):
        assert supervisor.pause(deaths, os.getppid()) is False
    assert waited
