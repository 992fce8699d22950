"""GET /: the page on which people ask. What it loads lies below /page."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse

PAGE = Path(__file__).parents[1] / "page"

router = APIRouter()


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def page() -> FileResponse:
    """The page."""
    return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})
