"""A stand-in of the agent service at the network boundary: it answers what the test says, to whom the test says."""

import json
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REFUSAL = {"error": {"message": "the API key is not known", "code": "invalid_api_key"}}


@dataclass
class ScriptedAssistant:
    """`answers` by question, each the path of a cited document or None to abstain; everybody may ask without `key`.

    `found` is the path of what each search finds, and `text` what that says. The next requests are answered with
    `statuses` first. Answers are from `generation`, which `before_reply` may change.
    """

    answers: Mapping[str, str | None]
    found: str
    key: str | None = None
    text: str = "any"
    url: str = ""
    statuses: list[int] = field(default_factory=list[int])
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    generation: str = "g1"
    before_reply: Callable[[], None] = lambda: None

    def reply(self, path: str, key: str, body: Mapping[str, str]) -> tuple[int, object]:
        """Status and body of one response."""
        if path == "/readyz":
            return 200, {"ready": True}
        self.asked.append((path, key))
        if self.statuses:
            return self.statuses.pop(0), {"error": {"message": "as scripted"}}
        if self.key is not None and key != f"Bearer {self.key}":
            return 401, REFUSAL
        self.before_reply()
        if path == "/v1/models":
            return 200, {"data": []}
        if path == "/v1/search":
            passages = [{"chunk": {"path": self.found, "text": self.text}}]
            return 200, {"generation": self.generation, "relevancy": 0.9, "passages": passages}
        return 200, {"generation": self.generation, **answer(self.answers[body["question"]])}


def answer(document: str | None) -> dict[str, object]:
    """What /v1/ask says when it cites `document`, or abstains."""
    if document is None:
        return {"kind": "abstained", "answer": "I do not know.", "groundedness": None, "citations": []}
    citation = {"number": 1, "path": document, "heading_path": ["Any"], "quote": "any"}
    return {"kind": "answered", "answer": "It is so [1].", "groundedness": 1.0, "citations": [citation]}


@contextmanager
def scripted_assistant(
    answers: Mapping[str, str | None], found: str = "here.md", key: str | None = None, text: str = "any"
) -> Generator[ScriptedAssistant]:
    """The service on a port of its own until the end of the block."""
    assistant = ScriptedAssistant(answers, found, key, text)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def respond(self, body: Mapping[str, str]) -> None:
            status, said = assistant.reply(self.path, self.headers.get("authorization", ""), body)
            self.send_response(status)
            self.send_header("retry-after", "0.01")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        assistant.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield assistant
        finally:
            server.shutdown()
            thread.join()
