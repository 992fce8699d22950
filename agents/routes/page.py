"""GET /: the page on which people ask. What it loads lies below /page."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse, Response

PAGE = Path(__file__).parents[1] / "page"
_ASKED_ABOUT = {"cache-control": "no-cache"}
"""A browser asks whether it is still the same: scripts of two releases do not fit together."""

router = APIRouter()


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def page() -> FileResponse:
    """The page."""
    return FileResponse(PAGE / "index.html", headers=_ASKED_ABOUT)


class PageFiles(StaticFiles):
    """What the page loads."""

    def __init__(self) -> None:
        super().__init__(directory=PAGE)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(_ASKED_ABOUT)
        return response
