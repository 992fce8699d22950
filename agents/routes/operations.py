"""What operators and their programs ask: is it alive, is it ready, what are its numbers."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import TypeAdapter
from starlette.responses import Response

from agents.assistant import CurrentAssistant
from agents.health import Readiness

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers; nothing is said of what it depends on."""
    return {"status": "alive"}


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
async def readyz(assistant: CurrentAssistant) -> Response:
    """Whether everything that an answer needs is there; 503 with the reasons when not."""
    readiness = assistant.health.readiness
    body = TypeAdapter(Readiness).dump_json(readiness)
    return Response(body, 200 if readiness.ready else 503, media_type="application/json")


@router.get("/metrics", response_class=Response)
async def metrics(assistant: CurrentAssistant) -> Response:
    """Prometheus' text format."""
    return Response(assistant.metrics.exposition(assistant.health.readiness.ready), media_type=CONTENT_TYPE_LATEST)
