"""People who go on asking the agent service while something happens to it."""

import threading
from collections import Counter

import httpx

CALLERS = 4
MODEL_LATE = "did not answer in time"


class Callers:
    """Ask `question` again and again: half of them over one connection, half over a new one each time.

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
        self._threads = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(CALLERS)]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, kept_alive: bool) -> None:
        headers = {} if kept_alive else {"connection": "close"}
        with httpx.Client(base_url=self._url, headers=headers, timeout=60, trust_env=False) as client:
            while not self._stopped.wait(self._pause):
                try:
                    answer = client.post("/v1/ask", json={"question": self._question})
                    if not answer.is_success and MODEL_LATE in answer.text:
                        self.late += 1
                    else:
                        self.outcomes[answer.json()["kind"] if answer.is_success else answer.text] += 1
                except httpx.TransportError as error:
                    self.outcomes[repr(error)] += 1
