"""A stand-in of the processor beside a test."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from gateways.paystack.sim.server import StandIn
from gateways.paystack.sim.state import Sim


@contextmanager
def standing(sim: Sim) -> Generator[StandIn]:
    """A stand-in whose end nobody waits for: its server takes a moment, and the next one has a port of its own."""
    stand_in = StandIn(sim)
    stand_in.__enter__()
    try:
        yield stand_in
    finally:
        threading.Thread(target=stand_in.__exit__, args=(None, None, None)).start()
