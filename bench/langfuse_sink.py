"""Stands in for Langfuse: takes spans and scores, and counts them. `python -m bench.langfuse_sink --port PORT`."""

import argparse

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agents.tracing.export import TRACES_PATH


def application() -> FastAPI:
    """The part of Langfuse's interface that the service uses, and GET /spans with the number of spans so far."""
    app, received = FastAPI(), [0]

    @app.post(TRACES_PATH)
    async def traces(request: Request) -> Response:
        exported = ExportTraceServiceRequest.FromString(await request.body())
        received[0] += sum(len(scope.spans) for of in exported.resource_spans for scope in of.scope_spans)
        return Response(media_type="application/x-protobuf")

    @app.post("/api/public/scores", status_code=202)
    async def scores() -> dict[str, str]:
        return {"message": "Accepted"}

    @app.get("/spans")
    async def spans() -> int:
        return received[0]

    return app


def main() -> None:
    """Serve on loopback until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m bench.langfuse_sink", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(application(), host="127.0.0.1", port=parser.parse_args().port, log_config=None)


if __name__ == "__main__":
    main()
