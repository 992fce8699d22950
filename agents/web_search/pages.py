"""Fetches a page of the public internet and makes plain text of it."""

import asyncio
import codecs
import ssl
from dataclasses import dataclass

import httpx

from agents.knowledge.documents import DocumentRef, DocumentUnreadable, ParsedDocument
from agents.knowledge.parsing.content import document_codec
from agents.knowledge.parsing.html import parse_html
from agents.knowledge.parsing.plain_text import parse_plain_text
from agents.web_search.addresses import (
    AddressRules,
    RefusedAddress,
    Resolver,
    accepted_url,
    checked_address,
    system_resolver,
)
from agents.web_search.limits import TooLarge, read_at_most
from agents.web_search.page_text import shown_text, shown_title
from agents.web_search.results import ReadPage

MOST_REDIRECTS = 5
_PARSERS = {
    "text/html": parse_html,
    "application/xhtml+xml": parse_html,
    "text/plain": parse_plain_text,
    "text/markdown": parse_plain_text,
}
_HEADERS = {
    "accept": ", ".join(_PARSERS),
    "accept-encoding": "identity",
    "user-agent": "agentic-eks-web-search/1",
}


class PageUnreadable(Exception):
    """A page could not be fetched or is no text; the message says why."""


@dataclass(frozen=True)
class _Fetched:
    url: httpx.URL
    media_type: str
    charset: str | None
    body: bytes


class PageReader:
    """Reads pages under `rules`; names are looked up by `resolve`, certificates checked by `tls`."""

    def __init__(
        self,
        most_bytes: int,
        seconds: float,
        resolve: Resolver = system_resolver,
        rules: AddressRules | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._resolve = resolve
        self._rules = rules or AddressRules()
        self._tls = tls or ssl.create_default_context()

    async def read(self, url: str, text_characters: int) -> ReadPage:
        """The page at `url` as plain text, cut to `text_characters`.

        Raises:
            RefusedAddress: the URL, or one that it redirects to, is not of the public internet.
            PageUnreadable: no answer in time, an error, too many redirects, or a body that is too long or no text.
        """
        try:
            async with asyncio.timeout(self._seconds):
                fetched = await self._fetch(url)
                # A crafted page may take a while to parse, and others are waiting.
                return await asyncio.to_thread(_page, fetched, text_characters)
        except TimeoutError as error:
            raise PageUnreadable(f"{url!r} was not there after {self._seconds:g} s") from error
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise PageUnreadable(f"{url!r} cannot be fetched ({type(error).__name__})") from error
        except (TooLarge, DocumentUnreadable) as error:
            raise PageUnreadable(str(error)) from error

    async def _fetch(self, start: str) -> _Fetched:
        url = accepted_url(start, self._rules)
        for _ in range(MOST_REDIRECTS + 1):
            address = await checked_address(url, self._resolve, self._rules)
            answer = await self._request(url, str(address))
            if isinstance(answer, _Fetched):
                return answer
            if url.scheme == "https" and answer.scheme == "http":
                raise RefusedAddress(f"{url} redirects to {answer}, which is not encrypted")
            url = accepted_url(str(answer), self._rules)
        raise PageUnreadable(f"{start!r} redirects more than {MOST_REDIRECTS} times")

    async def _request(self, url: httpx.URL, address: str) -> _Fetched | httpx.URL:
        """The page, or where it redirects to. The connection goes to `address`, under the name of the URL's host."""
        headers = {**_HEADERS, "host": url.netloc.decode("ascii")}
        # A client for each request: a pool would offer one host's connection to another host at the same address.
        # And no proxy out of the environment: that would look the name up once more.
        async with (
            httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=self._seconds) as client,
            client.stream(
                "GET",
                url.copy_with(host=address, fragment=None),
                headers=headers,
                extensions={"sni_hostname": url.raw_host.decode("ascii").removesuffix(".")},
            ) as response,
        ):
            if response.has_redirect_location:
                return _location(url, response.headers["location"])
            if response.status_code != 200:
                raise PageUnreadable(f"{url} answered with status {response.status_code}")
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type not in _PARSERS:
                raise PageUnreadable(f"{url} is {media_type or 'of no type'!r}; only {', '.join(_PARSERS)} are read")
            body = await read_at_most(response, self._most_bytes)
            return _Fetched(url, media_type, response.charset_encoding, body)


def _location(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return url.join(location)
    except httpx.InvalidURL as error:
        raise RefusedAddress(f"{url} redirects to {location!r}, which is not a URL: {error}") from error


def _page(fetched: _Fetched, text_characters: int) -> ReadPage:
    document = _parse(fetched)
    text, complete = shown_text(document.text, text_characters)
    title = shown_title(document.title) or fetched.url.host
    return ReadPage(url=str(fetched.url), title=title, text=text, complete=complete)


def _parse(fetched: _Fetched) -> ParsedDocument:
    body, uri = fetched.body, str(fetched.url)
    if fetched.charset is not None:
        # What the header says counts more than what the page says (WHATWG HTML, section 13.2.3), and a byte order mark
        # tells the parser so.
        try:
            body = codecs.BOM_UTF8 + body.decode(document_codec(fetched.charset)).encode()
        except (LookupError, UnicodeError) as error:
            raise DocumentUnreadable(uri, f"it is not in {fetched.charset!r}, as it claims") from error
    parser = _PARSERS[fetched.media_type]
    return parser(DocumentRef(source="web", uri=uri, path=fetched.url.path, size_bytes=len(body)), body)
