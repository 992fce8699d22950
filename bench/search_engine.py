"""Stands in for the search engine that the web search server asks: Tavily's interface over pages found beforehand.

`python -m bench.search_engine --port PORT --found FILE`; the file holds the pages of every query that will come.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from pydantic import TypeAdapter

HEALTH_PATH = "/healthz"


@dataclass(frozen=True)
class Page:
    """One page of a result; `score` is 0..1."""

    url: str
    title: str
    content: str
    score: float = 0.0


FOUND = TypeAdapter(dict[str, list[Page]])
"""The pages by query, best first; white space within a query is one blank."""


def application(found: dict[str, list[Page]]) -> FastAPI:
    """The part of Tavily's interface that the web search server uses; nothing is found for a query that is unknown."""
    app = FastAPI()

    @app.get(HEALTH_PATH)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.post("/search")
    async def search(request: Request) -> dict[str, Any]:
        asked = await request.json()
        return {"query": asked["query"], "results": found.get(asked["query"], [])[: asked["max_results"]]}

    return app


def main() -> None:
    """Serve on loopback until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m bench.search_engine", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--found", type=Path, required=True)
    given = parser.parse_args()
    uvicorn.run(
        application(FOUND.validate_json(given.found.read_bytes())), host="127.0.0.1", port=given.port, log_config=None
    )


if __name__ == "__main__":
    main()
