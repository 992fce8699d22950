"""The one address of the emulated AWS: hands each request to the emulator that knows the service.

A request says in its signature which service and region it is for. Nothing here verifies signatures:
neither emulator does.
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from yarl import URL

from rehearsal.aws.call import Answer, Call, read_call
from rehearsal.aws.corrections import Correction, corrections

HEALTH = "/_rehearsal/health"
LARGEST_BODY_BYTES = 1 << 30
# These services are ministack's, which knows of them what moto does not, such as add-ons. Everything else is moto's.
ON_MINISTACK = frozenset({"backup", "eks"})
# They belong to one connection, not to the message.
_PER_CONNECTION = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "upgrade", "date", "server"}
)


@dataclass(frozen=True)
class Emulators:
    """The addresses of the two."""

    moto: str
    ministack: str

    def address_of(self, service: str) -> str:
        """Which of them answers for `service`."""
        return self.ministack if service in ON_MINISTACK else self.moto


class Front:
    """Receives a request, and answers what the right emulator answered, corrected."""

    def __init__(self, emulators: Emulators, session: aiohttp.ClientSession, corrected: Mapping[str, Correction]):
        self._emulators = emulators
        self._session = session
        self._corrected = corrected

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if request.path == HEALTH:
            return web.Response(text="ready")
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = read_call(request.method, request.raw_path, headers, await request.read())
        correction = self._corrected.get(call.service)
        answer = await (correction.answer(call, self.forward) if correction else self.forward(call))
        response = web.Response(status=answer.status, body=answer.body)
        for name, value in answer.headers:
            if name.lower() == "content-type":
                response.headers[name] = value
            else:
                response.headers.add(name, value)
        return response

    async def forward(self, call: Call) -> Answer:
        """What the emulator answers to `call`."""
        url = URL(self._emulators.address_of(call.service) + call.target, encoded=True)
        headers = {name: value for name, value in call.headers.items() if name not in _PER_CONNECTION}
        async with self._session.request(
            call.method, url, headers=headers, data=call.body, allow_redirects=False
        ) as answer:
            kept = tuple(
                (name, value)
                for name, value in answer.headers.items()
                if name.lower() not in _PER_CONNECTION or (call.method == "HEAD" and name.lower() == "content-length")
            )
            return Answer(answer.status, kept, await answer.read())


async def serve(port: int, emulators: Emulators) -> None:
    """Serve on `port` of loopback until the process is ended."""
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(
        auto_decompress=False, timeout=timeout, skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type")
    ) as session:
        front = Front(emulators, session, corrections())
        application = web.Application(client_max_size=LARGEST_BODY_BYTES)
        application.router.add_route("*", "/{target:.*}", front.handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--moto", required=True, help="address of moto's server")
    parser.add_argument("--ministack", required=True, help="address of ministack")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, Emulators(arguments.moto, arguments.ministack)))


if __name__ == "__main__":
    main()
