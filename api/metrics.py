"""What Prometheus reads from this process. Every combination of labels exists from the start, at zero.

Business counters come from the log, not from here: a process that dies must not take payouts with it.
"""

from collections.abc import Iterable
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reactions.notification import OUTCOMES as NOTIFICATION_OUTCOMES

STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx")
OUTCOMES = ("stored", "replayed", "refused", "failed")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
UNMATCHED = "unmatched"
LOGIN_OUTCOMES = ("succeeded", "failed", "throttled")
EMAIL, SMS = "email", "sms"
CODE_OUTCOMES = ("sent", "undelivered", "verified", "failed", "expired")


class Metrics:
    """One registry per application, so that two in one process do not meet."""

    def __init__(self) -> None:
        """Register everything."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "escrow_http_requests",
            "Requests by route and class of status.",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "escrow_http_request_duration_seconds", "From the first byte of the request to the last of the answer.",
            ["route"], buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.commands = Counter("escrow_commands", "Commands by outcome.", ["outcome"], registry=self.registry)
        self.database_errors = Counter("escrow_db_errors", "Requests that the database failed.", registry=self.registry)
        self.logins = Counter("escrow_login", "Attempts to sign in.", ["outcome"], registry=self.registry)
        self.security_alerts = Counter(
            "escrow_security_alerts",
            "Attempts to see credentials that nobody makes by accident.",
            ["kind"],
            registry=self.registry,
        )
        self.messages = MessageMetrics(self.registry)
        self.vault_canary = Gauge(
            "escrow_vault_canary_ok",
            "1 while the canary of the vault opens; it is tried every minute.",
            registry=self.registry,
        )
        self.log_head = Gauge("escrow_log_head_position", "Newest position of the log.", registry=self.registry)
        self.lag = Gauge(
            "escrow_projection_lag_events", "Events a projection is behind.", ["projection"], registry=self.registry
        )
        self._observers: dict[str, Observer] = {}
        self._unmatched = Observer(self, UNMATCHED)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        for outcome in OUTCOMES:
            self.commands.labels(outcome)
        for outcome in LOGIN_OUTCOMES:
            self.logins.labels(outcome)

    def prepare(self, routes: Iterable[str], projections: Iterable[str]) -> None:
        """Create the series of these routes ("POST /api/v1/…") and projections."""
        for route in routes:
            self._observers[route] = Observer(self, route)
        for projection in projections:
            self.lag.labels(projection)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request; an address that matches no route counts as `unmatched`."""
        self._observers.get(route, self._unmatched).observe(status, seconds)

    def render(self) -> bytes:
        """Return the text that Prometheus scrapes."""
        return generate_latest(self.registry)


class Observer:
    """The series of one route, looked up once."""

    def __init__(self, metrics: Metrics, route: str) -> None:
        """Create them at zero."""
        self._by_class = {name[0]: metrics.requests.labels(route, name) for name in STATUS_CLASSES}
        self._seconds = metrics.seconds.labels(route)

    def observe(self, status: int, seconds: float) -> None:
        """Count one request."""
        self._by_class[str(status)[0]].inc()
        self._seconds.observe(seconds)


class MessageMetrics:
    """What became of messages: one-time codes in this process, and what the database says of the others."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create them at zero."""
        self.codes = Counter(
            "escrow_otp", "One-time codes by channel and outcome.", ["channel", "outcome"], registry=registry
        )
        self.notifications = Gauge(
            "escrow_notifications",
            "Messages about events that ended, by channel and outcome; kept in the database.",
            ["channel", "outcome"],
            registry=registry,
        )
        self.waiting = Gauge(
            "escrow_notifications_waiting", "Messages that are due, or failed and are tried again.", registry=registry
        )
        for channel, outcome in product((EMAIL, SMS), CODE_OUTCOMES):
            self.codes.labels(channel, outcome)
        for outcome in NOTIFICATION_OUTCOMES:
            self.notifications.labels(EMAIL, outcome)
