"""The stand-in's time, which may run faster than real time and be pushed forward, never backward."""

from datetime import UTC, datetime, timedelta

from domain.ids import Clock

ISO = "%Y-%m-%dT%H:%M:%S.%fZ"


def real_time() -> datetime:
    """The clock of the machine, in UTC."""
    return datetime.now(UTC)


def parse_iso(value: str) -> datetime:
    """Read what `SimClock.text` wrote."""
    return datetime.strptime(value, ISO).replace(tzinfo=UTC)


def brief(moment: str) -> str:
    """The same moment with milliseconds, as Paystack writes it."""
    return f"{moment[:23]}Z"


class SimClock:
    """Real time from the injected clock, times `scale`, plus what `advance` added."""

    def __init__(self, clock: Clock = real_time, *, scale: float = 1.0) -> None:
        """`scale` 3600 lets an hour pass in a second."""
        self._clock = clock
        self._origin = clock()
        self._offset = timedelta()
        self.scale = scale

    def now(self) -> datetime:
        """The stand-in's present, aware UTC."""
        return self._origin + (self._clock() - self._origin) * self.scale + self._offset

    def text(self, later_seconds: float = 0.0) -> str:
        """The present, or a moment after it, as ISO 8601 with microseconds: such texts sort like the times."""
        return (self.now() + timedelta(seconds=later_seconds)).strftime(ISO)

    def advance(self, seconds: float) -> None:
        """Jump forward."""
        self._offset += timedelta(seconds=max(seconds, 0.0))

    def not_before(self, moment: str) -> None:
        """Jump forward to that moment unless it is past: a restarted stand-in continues its own time."""
        self.advance(self.seconds_until(moment))

    def seconds_until(self, moment: str) -> float:
        """How far off a moment is in the stand-in's time; negative when past."""
        return (parse_iso(moment) - self.now()).total_seconds()

    def real_seconds_until(self, moment: str) -> float:
        """How long to wait in real seconds; zero or less when due."""
        return self.seconds_until(moment) / self.scale
