"""Tavily's search API (https://docs.tavily.com/documentation/api-reference/endpoint/search)."""

import asyncio
from itertools import islice

import httpx
from pydantic import BaseModel, Field, ValidationError

from agents.web_search.addresses import AddressRules, RefusedAddress, accepted_url
from agents.web_search.limits import TooLarge, read_at_most
from agents.web_search.page_text import shown_text, shown_title
from agents.web_search.results import FoundPage

MOST_BYTES = 2_000_000
CONNECT_SECONDS = 3.0
_GAP = "[...]"
"""Stands in a result between passages that do not follow each other on the page."""
_REFUSALS = {
    400: "the query was refused",
    401: "the API key was refused",
    429: "too many searches were made",
    432: "the plan of the API key is used up",
    433: "the paid limit of the API key is reached",
}


class SearchFailed(Exception):
    """Tavily did not answer, or refused; the message says what and why, without its words."""


class _Result(BaseModel):
    url: str
    title: str = ""
    content: str = ""
    score: float = Field(default=0.0)


class _Answer(BaseModel):
    results: list[_Result]


class Tavily:
    """A connection pool to the API at `base_url`. The key goes into one header and nowhere else."""

    def __init__(self, base_url: str, key: str, seconds: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {key}", "accept-encoding": "identity"},
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
        )

    async def search(self, query: str, limit: int, text_characters: int) -> list[FoundPage]:
        """At most `limit` pages, best first, the text of each cut to `text_characters`.

        Raises:
            SearchFailed: no answer, a refusal, or an answer in another form.
        """
        question = {"query": query, "max_results": limit, "search_depth": "basic", "include_answer": False}
        try:
            async with self._client.stream("POST", f"{self._base_url}/search", json=question) as response:
                if response.status_code != 200:
                    why = _REFUSALS.get(response.status_code, "the search failed")
                    raise SearchFailed(f"{self._base_url} answered with status {response.status_code}: {why}")
                body = await read_at_most(response, MOST_BYTES)
            answer = _Answer.model_validate_json(body)
        except httpx.HTTPError as error:
            raise SearchFailed(f"{self._base_url} did not answer ({type(error).__name__})") from error
        except (TooLarge, ValidationError) as error:
            raise SearchFailed(f"{self._base_url} answered in a form that is not read: {error}") from error
        # Texts may be long, and others are waiting.
        return await asyncio.to_thread(_pages, answer, limit, text_characters)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _pages(answer: _Answer, limit: int, text_characters: int) -> list[FoundPage]:
    pages = (_page(result, text_characters) for result in answer.results)
    return list(islice((page for page in pages if page is not None), limit))


def _page(result: _Result, text_characters: int) -> FoundPage | None:
    try:
        # It becomes a link: other schemes, users and ports have no place there.
        url = accepted_url(result.url, AddressRules())
    except RefusedAddress:
        return None
    text, _ = shown_text(result.content.replace(_GAP, "\n\n"), text_characters)
    if not text:
        return None
    score = min(max(result.score, 0.0), 1.0)
    return FoundPage(url=str(url), title=shown_title(result.title) or url.host, text=text, score=score)
