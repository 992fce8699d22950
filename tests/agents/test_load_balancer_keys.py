"""Keys of the load balancer: one that does not come keeps nobody waiting whose key is known, nor is one kept away."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agents.access.load_balancer import NO_KEY_SECONDS, InvalidToken, KeysUnavailable, LoadBalancerTokens
from agents.access.settings import LoadBalancer
from tests.agents.scripted_gateway import ThreadedServer
from tests.agents.signed_in import CLIENT, ISSUER, SIGNER, PlayedLoadBalancer
from tests.ports import free_port

SILENT = "11111111-1c3e-4f34-a6d3-5b5a8d0d7d11"


async def test_known_keys_are_not_waited_for() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def public_key(request: Request) -> Response:
        if request.path_params["key_id"] == SILENT:
            loop.call_soon_threadsafe(asked.set)
            await asyncio.sleep(60)
        return PlainTextResponse(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    server = ThreadedServer(Starlette(routes=[Route("/{key_id}", public_key)]), free_port())
    server.start()
    played = PlayedLoadBalancer(server.url, key)
    tokens = LoadBalancerTokens(LoadBalancer(signer=SIGNER, client=CLIENT, issuer=ISSUER, keys_url=server.url))
    known = played.headers()["x-amzn-oidc-data"]
    try:
        assert (await tokens.caller(known)).id == "person:ada"
        waiting = asyncio.create_task(tokens.caller(played.headers(kid=SILENT)["x-amzn-oidc-data"]))
        await asked.wait()
        again = asyncio.create_task(tokens.caller(known))
        done, _ = await asyncio.wait({waiting, again}, return_when=asyncio.FIRST_COMPLETED)
        assert again in done
        with pytest.raises(KeysUnavailable):
            await waiting
    finally:
        await tokens.close()
        server.stop()


async def test_a_key_that_was_not_there_at_first_is_asked_for_again_soon() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    statuses, asked, clock = [404], 0, [0.0]

    async def public_key(_: Request) -> Response:
        nonlocal asked
        asked += 1
        if statuses:
            return Response(status_code=statuses.pop())
        return PlainTextResponse(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    server = ThreadedServer(Starlette(routes=[Route("/{key_id}", public_key)]), free_port())
    server.start()
    settings = LoadBalancer(signer=SIGNER, client=CLIENT, issuer=ISSUER, keys_url=server.url)
    tokens = LoadBalancerTokens(settings, lambda: clock[0])
    token = PlayedLoadBalancer(server.url, key).headers()["x-amzn-oidc-data"]
    try:
        for clock[0] in (0.0, NO_KEY_SECONDS - 1.0):
            with pytest.raises(InvalidToken, match="does not exist"):
                await tokens.caller(token)
            assert asked == 1
        for clock[0] in (NO_KEY_SECONDS + 1.0, 10.0 * NO_KEY_SECONDS):
            assert (await tokens.caller(token)).id == "person:ada"
            assert asked == 2
    finally:
        await tokens.close()
        server.stop()
