"""From a request that is about to be answered to the access log."""

from starlette.requests import Request

from api.access_log import Watch, alert_of, is_urgent
from api.dependencies import dependencies_of
from identity.access_log import write_access


async def record(watch: Watch, request: Request, error: Exception | None) -> None:
    """Keep who did what; what concerns a secret is on the disk when this returns, or it raises a database error."""
    dependencies = dependencies_of(request)
    access = watch.describe(request, dependencies.clock(), error)
    if access is None:
        return
    if not is_urgent(access):
        dependencies.access_log.put(dependencies.pool, access)
        return
    alert = alert_of(access)
    if await write_access(dependencies.pool, access, alert):
        dependencies.metrics.security_alerts.labels(alert).inc()
