"""People who go on asking the agent service while something happens to it."""

import json
import threading
from collections import Counter

import httpx

CALLERS = 4
MODEL_LATE = "did not answer in time"


class Callers:
    """Ask `question` again and again: half of them over one connection, half over a new one each time, and of each
    half one reads the answer as a stream.

    `outcomes` counts the kinds of the answers ("answered", "abstained" ...), and in its own words whatever else came
    back. `late` counts the questions for which a scripted model was too slow, as on a busy machine: the service did
    answer them. Between two questions each waits for `pause` seconds.
    """

    def __init__(self, url: str, question: str, pause: float = 0.0) -> None:
        self.outcomes: Counter[str] = Counter()
        self.late = 0
        self._url = url
        self._question = question
        self._pause = pause
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(number % 2 == 0, number < CALLERS // 2))
            for number in range(CALLERS)
        ]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, kept_alive: bool, streamed: bool) -> None:
        headers = {"accept": "text/event-stream" if streamed else "application/json"}
        if not kept_alive:
            headers["connection"] = "close"
        ask = streamed_outcome if streamed else plain_outcome
        with httpx.Client(base_url=self._url, headers=headers, timeout=60, trust_env=False) as client:
            while not self._stopped.wait(self._pause):
                try:
                    outcome = ask(client, self._question)
                except httpx.TransportError as error:
                    outcome = repr(error)
                if MODEL_LATE in outcome:
                    self.late += 1
                else:
                    self.outcomes[outcome] += 1


def plain_outcome(client: httpx.Client, question: str) -> str:
    """The kind of the answer, or what came in its place."""
    answer = client.post("/v1/ask", json={"question": question})
    return answer.json()["kind"] if answer.is_success else answer.text


def streamed_outcome(client: httpx.Client, question: str) -> str:
    """The same of an answer that is read event by event; a stream that ends too early says so."""
    event = ""
    with client.stream("POST", "/v1/ask", json={"question": question}) as response:
        if not response.is_success:
            return response.read().decode()
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "done":
                return json.loads(value)["answer"]["kind"]
            elif name == "data" and event == "error":
                return value
    return f"a stream ended after {event!r}"
