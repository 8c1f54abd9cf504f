"""Whether this works: for load balancers, operators and Prometheus."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from api.dependencies import DependenciesDep
from api.health import get_health, get_projections, update_gauges
from api.strict_route import StrictRoute
from api.views.health import HealthView, ProjectionsView, Status

router = APIRouter(prefix="/api/v1/ops", tags=["ops"], route_class=StrictRoute)
metrics = APIRouter(tags=["ops"], route_class=StrictRoute)


@router.get("/liveness", response_model=Status)
async def get_liveness() -> Status:
    """Say that the process answers, whatever it depends on."""
    return Status(status="ok")


@router.get("/readiness", response_model=Status)
async def get_readiness(dependencies: DependenciesDep) -> Status:
    """Say whether requests can be served: 503 while the database cannot be reached."""
    await get_projections(dependencies)
    return Status(status="ok")


@router.get("/health", response_model=HealthView)
async def get_health_view(dependencies: DependenciesDep) -> HealthView:
    """Show what works and what does not; always 200."""
    return await get_health(dependencies)


@router.get("/projections", response_model=ProjectionsView)
async def get_projections_view(dependencies: DependenciesDep) -> ProjectionsView:
    """Show how far every read model is behind the log."""
    return await get_projections(dependencies)


@metrics.get("/metrics", response_class=PlainTextResponse)
async def get_metrics(dependencies: DependenciesDep) -> Response:
    """Show the metrics of this process, in the text format of Prometheus."""
    await update_gauges(dependencies)
    return Response(dependencies.metrics.render(), 200, media_type=CONTENT_TYPE_LATEST)
