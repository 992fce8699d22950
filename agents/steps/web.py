"""Knowledge from the web: the states supplement, which fills a gap of the passages, and search_web."""

import asyncio
from collections.abc import Sequence
from itertools import chain, zip_longest

from agents.evaluation.evaluator import gap, web_relevancy
from agents.events import WebSearched
from agents.inquiry import Inquiry, Steps
from agents.knowledge.search import Passage
from agents.settings import Limits, Routing
from agents.states import Outcome
from agents.web_passages import web_passages
from agents.web_search.client import WebSearch, WebSearchUnavailable
from agents.web_search.results import LONGEST_QUERY


class SearchingWeb:
    """Asks the web search server. Without one, no state leads here."""

    def __init__(self, web: WebSearch | None, limits: Limits, routing: Routing) -> None:
        self._web = web
        self._limits = limits
        self._routing = routing

    async def supplement(self, inquiry: Inquiry) -> Steps:
        """Add to passages that fit in part what the web has on the question."""
        found = await self._found(inquiry)
        yield self._event(inquiry, found)
        # Whoever looks at the best few sees both.
        both = chain.from_iterable(zip_longest(inquiry.passages, found))
        inquiry.passages = tuple(passage for passage in both if passage is not None)
        yield Outcome.FOUND if found else Outcome.NOTHING_FOUND

    async def search_web(self, inquiry: Inquiry) -> Steps:
        """Find what the web has; it has to fit as well as the knowledge base has to."""
        found = await self._found(inquiry)
        relevancy = web_relevancy(inquiry.question, found)
        fits = bool(found) and relevancy >= self._limits.relevancy_threshold
        if not fits and inquiry.unusable is not None:
            # Nobody can say that the answer is not known: the knowledge base may hold it.
            raise inquiry.unusable
        yield self._event(inquiry, found)
        if not fits:
            yield Outcome.NOTHING_FOUND
            return
        inquiry.passages = found
        inquiry.composition.relevancy = relevancy
        yield Outcome.FOUND

    async def _found(self, inquiry: Inquiry) -> tuple[Passage, ...]:
        if self._web is None:
            raise RuntimeError("there is no web search")
        if not inquiry.budget.take_tool_call():
            inquiry.note("the web was not searched: no tool call is left")
            return ()
        try:
            async with asyncio.timeout(max(inquiry.budget.seconds_left, 0)):
                with inquiry.timed("web"):
                    results = await self._web.search(inquiry.question[:LONGEST_QUERY], self._routing.web_results)
        except WebSearchUnavailable as error:
            inquiry.note(f"the web could not be searched: {error}")
            return ()
        except TimeoutError:
            inquiry.note("the web search was stopped: no time is left")
            return ()
        inquiry.web_searched = True
        # Pages may be long, and others are waiting.
        return await asyncio.to_thread(web_passages, inquiry.question, results)

    def _event(self, inquiry: Inquiry, found: Sequence[Passage]) -> WebSearched:
        addresses = tuple(passage.chunk.document_uri for passage in found)
        return WebSearched(inquiry.question[:LONGEST_QUERY], gap(inquiry.question, inquiry.passages), addresses)
