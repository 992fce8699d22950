from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agents.refresh_request import RefreshRequests
from agents.refresh_settings import Refresh
from tests.agents.scripted_gateway import ThreadedServer
from tests.ports import free_port


@pytest.mark.parametrize("page", ["<html>Sign in</html>", "[]", "{}"])
async def test_what_does_not_answer_as_prefect_does_is_told(page: str) -> None:
    async def answer(request: Request) -> Response:
        return HTMLResponse(page)

    server = ThreadedServer(Starlette(routes=[Route("/{rest:path}", answer)]), free_port())
    server.start()
    try:
        refresh = Refresh(api_url=f"{server.url}/api", deployment="knowledge/local")
        requests = RefreshRequests(refresh, None, "local", timedelta(hours=1))
        requests.ask("f")
        await requests.settled()
        assert "answers, but not as Prefect does" in requests.state
        await requests.close()
    finally:
        server.stop()
