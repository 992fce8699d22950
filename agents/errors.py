"""Errors as JSON, in the shape that OpenAI's clients read: `{"error": {"message", "type", "param", "code"}}`."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from agents.gateway.client import GatewayUnavailable
from agents.knowledge.search import EmbeddingMismatch
from agents.knowledge.store import StoreUnavailable, UnknownGeneration
from agents.knowledge_base import NoGeneration
from agents.limits.admission import Overloaded
from agents.limits.allowance import AllowanceSpent
from agents.questions import RefusedQuestion
from agents.state.database import StateUnavailable

MISSING: dict[type[Exception], tuple[str, int]] = {
    GatewayUnavailable: ("gateway_unavailable", 10),
    StoreUnavailable: ("store_unavailable", 10),
    NoGeneration: ("no_generation", 30),
    EmbeddingMismatch: ("embedding_mismatch", 60),
    StateUnavailable: ("state_unavailable", 5),
}
"""What makes an answer impossible for now: the code of the error, and after how many seconds to try again."""

TOO_MUCH = (Overloaded, AllowanceSpent)
"""What the service, or the caller's allowance, cannot bear now; they say after how many seconds to try again."""

CLIENT_GONE = 499
"""The status that nginx gave to requests whose client went away."""

Handler = Callable[[Request, Exception], Awaitable[Response]]


class UnknownModel(Exception):
    """The request names a model that this service does not offer."""


class ErrorDetail(BaseModel):
    """What went wrong, for people (`message`) and for programs (`code`)."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": description}
    for status, description in {
        400: "The request cannot be read.",
        401: "The caller is not known.",
        403: "The caller lacks the scope.",
        404: "There is no such thing, or it is another's.",
        405: "The path does not know the method.",
        408: "The request did not arrive in time.",
        413: "The request is too long.",
        421: "The header Host names somebody else's service.",
        422: "The request is wrong.",
        429: "The caller's rate limit is exceeded, or the service is overloaded.",
        503: "Something that the answer needs is unavailable.",
    }.items()
}
"""What every route may answer beside its own."""


def error_body(status: int, message: str, code: str, param: str | None = None) -> dict[str, dict[str, str | None]]:
    """The body of an error response, also sent inside a stream that has begun."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_response(status: int, message: str, code: str, param: str | None = None) -> JSONResponse:
    """An error response."""
    return JSONResponse(error_body(status, message, code, param), status)


def describe(error: Exception) -> tuple[str, int]:
    """The code and the seconds to wait of an error that `MISSING` lists."""
    code, seconds = MISSING[type(error)]
    return code, error.retry_after if isinstance(error, GatewayUnavailable) else seconds


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the service a clear JSON error."""
    for missing in MISSING:
        app.add_exception_handler(missing, _unavailable)
    app.add_exception_handler(Overloaded, _too_many("overloaded"))
    app.add_exception_handler(AllowanceSpent, _too_many("allowance_spent"))
    app.add_exception_handler(UnknownGeneration, _plain(404, "unknown_generation"))
    app.add_exception_handler(UnknownModel, _plain(404, "model_not_found"))
    app.add_exception_handler(RefusedQuestion, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(500, _unexpected)


async def _unavailable(request: Request, error: Exception) -> Response:
    code, seconds = describe(error)
    response = error_response(503, str(error), code)
    response.headers["retry-after"] = str(seconds)
    return response


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedQuestion) else 422
    return error_response(status, str(error), "invalid_question", "question")


async def _invalid(request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    lines = [f"{_where(problem['loc'])}: {problem['msg']}" for problem in problems]
    param = _where(problems[0]["loc"]) if problems else None
    return error_response(422, "; ".join(lines) or str(error), "invalid_request", param)


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    response = error_response(status, f"{request.method} {request.url.path}: {detail}", "http_error")
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


async def _gone(request: Request, error: Exception) -> Response:
    # Nobody reads it; it keeps a client that went away from counting as a failure of the service.
    return Response(status_code=CLIENT_GONE)


async def _unexpected(request: Request, error: Exception) -> Response:
    trace_id = request.state.trace_id
    return error_response(500, f"the service failed; its log says why (trace {trace_id})", "internal_error")


def _too_many(code: str) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        response = error_response(429, str(error), code)
        if isinstance(error, TOO_MUCH):
            response.headers["retry-after"] = str(error.retry_after)
        return response

    return handle


def _plain(status: int, code: str) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        return error_response(status, str(error), code)

    return handle
