"""Stands in for an embedding model: an endpoint that makes vectors up at once, and counts the texts that it was given.

`python -m bench.synthetic_endpoint --port PORT`; `/counted` says how many texts came so far.
"""

import argparse
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from bench.synthetic import vectors

HEALTH_PATH = "/healthz"
COUNT_PATH = "/counted"


def application() -> FastAPI:
    """The part of the OpenAI interface that an ingestion uses."""
    app, counted = FastAPI(), 0

    @app.get(HEALTH_PATH)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get(COUNT_PATH)
    async def told() -> int:
        return counted

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> dict[str, Any]:
        nonlocal counted
        body = await request.json()
        texts: list[str] = body["input"]
        counted += len(texts)
        data = [
            {"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors(texts))
        ]
        return {
            "object": "list",
            "data": data,
            "model": body["model"],
            "usage": {"prompt_tokens": 0, "total_tokens": 0},
        }

    return app


def main() -> None:
    """Serve on loopback until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m bench.synthetic_endpoint", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(application(), host="127.0.0.1", port=parser.parse_args().port, log_config=None)


if __name__ == "__main__":
    main()
