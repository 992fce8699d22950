"""Bulk writes, and what the server's refusals mean."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from opensearchpy import OpenSearch, TransportError, helpers
from opensearchpy.exceptions import ConnectionError as NoConnection

from agents.knowledge.store import StoreUnavailable

# The smallest domains that Amazon offers refuse requests of more than 10 MiB.
BYTES_PER_REQUEST = 5 * 1024 * 1024
RETRIES = 6
MAX_SECONDS_BETWEEN_RETRIES = 20
# What a server that was restarted, or forgot for how far a reader had come, says with its 404.
LOST_PLACE = "search_context_missing_exception"


@contextmanager
def server_errors(store: str) -> Generator[None]:
    """Turn a server that is unreachable, overloaded or failing, or lets nobody in, into `StoreUnavailable`.

    So is one that lost its place between two pages, or that still does what another request asked for.

    Other refusals stay as they are.
    """
    try:
        yield
    except NoConnection as error:
        raise StoreUnavailable(f"{store} does not answer: {error.info or error.error}") from error
    except helpers.ScanError as error:
        raise StoreUnavailable(f"{store} could not read a page: {error}") from error
    except TransportError as error:
        passing = error.status_code in (401, 403, 409, 429) or int(error.status_code) >= 500
        if passing or LOST_PLACE in str(error.info):
            raise StoreUnavailable(f"{store} answered {error.status_code}: {error.error}") from error
        raise


def write_all(client: OpenSearch, actions: Iterable[dict[str, Any]], store: str) -> None:
    """Write all of these bulk actions; what the server refuses for being busy (429) is tried again.

    Raises:
        ValueError: the server will never take one of them; says which and why.
        StoreUnavailable: the server stayed busy or failed; says at which one.
    """
    results = helpers.streaming_bulk(
        client,
        actions,
        max_chunk_bytes=BYTES_PER_REQUEST,
        max_retries=RETRIES,
        max_backoff=MAX_SECONDS_BETWEEN_RETRIES,
        raise_on_error=False,
    )
    for done, outcome in results:
        if not done:
            (result,) = outcome.values()
            problem = f"{store} refused {result['_id']!r} for {result['_index']!r} ({result['status']}): "
            problem += repr(result["error"])
            raise ValueError(problem) if result["status"] in (400, 403, 404) else StoreUnavailable(problem)
