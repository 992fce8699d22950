"""A web site on loopback, for pages to be fetched from."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.agents.scripted_gateway import ThreadedServer
from tests.ports import free_port

PAGE = """<!doctype html><html><head><title>Ports &amp; paths</title><script>alert(1)</script></head>
<body><nav>Menu</nav><main><h1>Ports</h1><p>The service listens on port 8080.</p>
<img src="https://evil.test/pixel"><p>Nothing e\u200blse\u202e.</p></main></body></html>"""


TEXTS = {
    "latin": "caf\xe9 au lait".encode("latin-1"),
    "punycode": b"au lait",
    "utf-8": "Nothing e\u200blse\u202e. ".encode() * 100_000,
}


@dataclass
class Site:
    """`hosts` are the Host headers of the requests that arrived."""

    hosts: list[str] = field(default_factory=list[str])
    port: int = field(default_factory=free_port)

    def start(self, **options: Any) -> None:
        self._server = ThreadedServer(self._app(), self.port, **options)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            self.hosts.append(request.headers["host"])
            match request.path_params["kind"]:
                case "page":
                    return Response(PAGE, media_type="text/html; charset=utf-8")
                case "latin" | "punycode" | "utf-8" as charset:
                    return Response(TEXTS[charset], headers={"content-type": f"text/plain; charset={charset}"})
                case "large":
                    return Response("a" * 200_000, media_type="text/plain")
                case "binary":
                    return Response(b"\x00\x01", media_type="application/octet-stream")
                case "compressed":
                    headers = {"content-encoding": "gzip"}
                    return Response(gzip.compress(b"a" * 10_000_000), media_type="text/plain", headers=headers)
                case "slow":
                    return StreamingResponse(_slow(), media_type="text/plain")
                case "missing":
                    return Response(status_code=404)
                case "loop":
                    return RedirectResponse("/loop")
                case _:
                    return RedirectResponse(request.query_params["to"], status_code=302)

        return Starlette(routes=[Route("/{kind}", answer)])


async def _slow() -> AsyncGenerator[bytes]:
    while True:
        yield b"a"
        await asyncio.sleep(0.05)
