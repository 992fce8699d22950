"""A public repository of models, as huggingface.co is one: https://huggingface.co/docs/hub/api."""

import os
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import httpx
import stamina
from pydantic import SecretStr

from tasks.weights.manifest import WeightsRefused

ENDPOINT_VARIABLE = "HF_ENDPOINT"
ENDPOINT = "https://huggingface.co"
ATTEMPTS = 5
# Times the number of failures in a row: a hub that restarts is back before the last attempt.
PAUSE_SECONDS = 3
# What a server of the model reads: no weights in other formats, no pictures.
WANTED = (".safetensors", ".json", ".txt", ".model", ".jinja", ".md")
OTHER_FORMATS = ("onnx", "openvino")
_NEXT = re.compile(r'<(?P<url>[^>]+)>;\s*rel="next"')


class _Interrupted(Exception):
    """The hub did not answer this time."""


@dataclass(frozen=True)
class HubFile:
    """A file of the repository, `size` in bytes. `sha256` is known of large files, `blob_id` (git) of all."""

    path: str
    size: int
    sha256: str | None
    blob_id: str

    @property
    def wanted(self) -> bool:
        """Whether a server needs it, or its licence is in it."""
        path = PurePosixPath(self.path)
        return path.parts[0] not in OTHER_FORMATS and (path.suffix in WANTED or path.name.startswith("LICENSE"))


@dataclass(frozen=True)
class Hub:
    """One repository at one revision."""

    client: httpx.Client
    repository: str
    revision: str

    def licence(self) -> str | None:
        """What the repository says of its licence, in its own spelling.

        Raises:
            WeightsRefused: there is no such repository or revision, or it wants a token.
        """
        facts = self._ask(f"/api/models/{self.repository}/revision/{self.revision}").json()
        if facts.get("sha") != self.revision:
            raise WeightsRefused(f"{self.repository!r} at {self.revision!r} answers with the revision {facts['sha']!r}")
        tags: list[str] = facts.get("tags") or []
        found = [tag.removeprefix("license:") for tag in tags if tag.startswith("license:")]
        return found[0] if found else None

    def files(self) -> list[HubFile]:
        """The files that a server of the model reads. Raises `WeightsRefused` as `licence`."""
        url = f"/api/models/{self.repository}/tree/{self.revision}?recursive=true"
        found: list[HubFile] = []
        while url:
            answer = self._ask(url)
            found += [_file(entry) for entry in answer.json() if entry["type"] == "file"]
            following = _NEXT.search(answer.headers.get("link", ""))
            url = following["url"] if following else ""
        return sorted((file for file in found if file.wanted), key=lambda file: file.path)

    def content(self, file: HubFile) -> Iterator[bytes]:
        """The file's bytes; a connection that breaks is taken up again where it broke.

        Raises:
            WeightsRefused: the hub refuses it, or breaks off again and again without sending anything.
        """
        done, failures = 0, 0
        while done < file.size:
            before = done
            try:
                with self._open(file, done) as answer:
                    for chunk in answer.iter_bytes():
                        done += len(chunk)
                        yield chunk
                if done == before:
                    break
            except (httpx.TransportError, _Interrupted) as error:
                failures = 0 if done > before else failures + 1
                if failures == ATTEMPTS:
                    raise WeightsRefused(
                        f"{file.path!r} of {self.repository!r} breaks off after {done} of {file.size} bytes: {error}; "
                        "start the run again, which goes on with the next file"
                    ) from error
                time.sleep(PAUSE_SECONDS * failures)
        if done != file.size:
            raise WeightsRefused(f"{file.path!r} of {self.repository!r} has {done} bytes, not the promised {file.size}")

    @contextmanager
    def _open(self, file: HubFile, done: int) -> Generator[httpx.Response]:
        # A range counts the bytes that are sent.
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={done}-"} if done else {})}
        path = f"/{self.repository}/resolve/{self.revision}/{quote(file.path)}"
        with self.client.stream("GET", path, headers=headers) as answer:
            _require_answer(answer)
            wanted = HTTPStatus.PARTIAL_CONTENT if done else HTTPStatus.OK
            if answer.status_code != wanted:
                raise WeightsRefused(
                    f"{file.path!r} of {self.repository!r}: the hub answers {answer.status_code}, not {wanted.value}"
                )
            yield answer

    def _ask(self, path: str) -> httpx.Response:
        for attempt in stamina.retry_context(on=(httpx.TransportError, _Interrupted), attempts=ATTEMPTS, wait_max=10):
            with attempt:
                answer = self.client.get(path)
                _require_answer(answer)
                if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                    raise WeightsRefused(
                        f"{self.repository!r} may not be read ({answer.status_code}): accept its conditions on the "
                        "hub, and supply an access token as the secret weights-token"
                    )
                if not answer.is_success:
                    raise WeightsRefused(
                        f"{self.repository!r} at {self.revision!r}: the hub answers {answer.status_code}; correct "
                        "weights.repository and weights.revision"
                    )
                return answer
        raise AssertionError("stamina returns or raises")


@contextmanager
def open_hub(repository: str, revision: str, token: SecretStr | None) -> Generator[Hub]:
    """The repository on the hub that HF_ENDPOINT names, or on huggingface.co."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    address = os.environ.get(ENDPOINT_VARIABLE) or ENDPOINT
    timeout = httpx.Timeout(60, connect=10)
    # Large files lie elsewhere, where httpx does not take the token.
    with httpx.Client(base_url=address, headers=headers, timeout=timeout, follow_redirects=True) as client:
        yield Hub(client, repository, revision)


def _require_answer(answer: httpx.Response) -> None:
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error:
        # Without its query: the address of a file that lies elsewhere is signed.
        raise _Interrupted(f"{answer.request.url.copy_with(query=None)} answers {answer.status_code}")


def _file(entry: dict[str, Any]) -> HubFile:
    large: dict[str, Any] | None = entry.get("lfs")
    size = int(large["size"] if large else entry["size"])
    return HubFile(str(entry["path"]), size, str(large["oid"]) if large else None, str(entry["oid"]))
