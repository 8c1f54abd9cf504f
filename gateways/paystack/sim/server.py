"""Run the stand-in: in the foreground of a process of its own, or in a thread beside tests."""

import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from domain.ids import Clock
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.app import build_app
from gateways.paystack.sim.clock import SimClock, real_time
from gateways.paystack.sim.state import Behaviour, Sim
from gateways.paystack.sim.store import Store

LOOPBACK = "127.0.0.1"
_START_SECONDS = 10.0


def build_sim(
    *,
    secret: SecretKey,
    behaviour: Behaviour | None = None,
    state_file: Path | None = None,
    seed: int | None = None,
    clock: Clock = real_time,
    time_scale: float = 1.0,
) -> Sim:
    """Assemble the state machine; without `seed` its codes and faults are unpredictable. Raises `StateFileInUse`."""
    return Sim(
        secret=secret,
        behaviour=behaviour or Behaviour(),
        store=Store(state_file),
        clock=SimClock(clock, scale=time_scale),
        chance=_chance(seed, "codes"),
        mischief=_chance(seed, "faults"),
    )


def _chance(seed: int | None, purpose: str) -> random.Random:
    """Each purpose draws from its own source, so that another fault does not change the codes."""
    return random.SystemRandom() if seed is None else random.Random(f"{seed} {purpose}")  # noqa: S311 (reproducible)


def run(sim: Sim, port: int, ready: Callable[[str], None]) -> None:
    """Serve on the loopback interface until SIGINT or SIGTERM; `ready` gets the base URL once calls are answered."""
    listener = _listen(port)
    server = _Server(sim, listener, ready)
    try:
        server.run(sockets=[listener])
    finally:
        sim.store.close()


class StandIn:
    """A stand-in in a thread, as a context manager; `base_url` is where it answers."""

    def __init__(self, sim: Sim, port: int = 0) -> None:
        """Port 0 takes any free one."""
        self.sim = sim
        self.base_url = ""
        self._up = threading.Event()
        self._listener = _listen(port)
        self._server = _Server(sim, self._listener, self._is_up)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    def __enter__(self) -> Self:
        """Return when calls are answered."""
        self._thread.start()
        if not self._up.wait(_START_SECONDS):
            raise TimeoutError("the stand-in did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and let go of the state file."""
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)
        self.sim.store.close()

    def _is_up(self, base_url: str) -> None:
        self.base_url = base_url
        self._up.set()


class _Server(uvicorn.Server):
    def __init__(self, sim: Sim, listener: socket.socket, ready: Callable[[str], None]) -> None:
        sim.base_url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        super().__init__(
            uvicorn.Config(
                build_app(sim),
                log_level="critical",
                access_log=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        self._base_url = sim.base_url
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready(self._base_url)


def _listen(port: int) -> socket.socket:
    return socket.create_server((LOOPBACK, port), backlog=512)
