"""A scripted judge: it answers RAGAS's prompts over the OpenAI API, as a model behind the gateway would."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tasks.golden.verdicts import read_verdicts
from tests.agents.scripted_gateway import ThreadedServer
from tests.ports import free_port

TOKENS = 150
"""That every call reports."""
LABELS = {each.statement: each.supported for each in read_verdicts().statements}

Answer = Mapping[str, Any]


def asked(prompt: str) -> dict[str, Any]:
    """The input at the end of one of RAGAS's prompts."""
    return json.loads(prompt.rpartition("\ninput: ")[2].removesuffix("Output: "))


@dataclass
class ScriptedJudge:
    """It finds all statements right, but those of golden/verdicts.json as people labelled them.

    `said` replaces what it says in a shape, and a call whose prompt holds one of `refused` is refused with status 400.
    The next calls fail with the statuses in `failing`, one each, and may be tried again at once.
    """

    said: dict[str, Callable[[dict[str, Any]], Answer]] = field(default_factory=dict[str, Any])
    refused: list[str] = field(default_factory=list[str])
    failing: list[int] = field(default_factory=list[int])
    keys: set[str] = field(default_factory=set[str])
    calls: list[str] = field(default_factory=list[str])
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = ThreadedServer(self._app(), self.port)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def answer(self, shape: str, given: dict[str, Any]) -> Answer:
        if shape in self.said:
            return self.said[shape](given)
        match shape:
            case "StatementGeneratorOutput":
                return {"statements": [given["answer"]]}
            case "NLIStatementOutput":
                return verdicts(given, lambda statement: LABELS.get(statement, True))
            case "AnswerRelevanceOutput":
                return {"question": given["response"], "noncommittal": 0}
            case "ContextPrecisionOutput":
                return {"reason": "", "verdict": 1}
            case "ContextRecallOutput":
                return {"classifications": [{"statement": given["answer"], "reason": "", "attributed": 1}]}
            case "ClassificationWithReason":
                right = [{"statement": statement, "reason": ""} for statement in given["answer"]]
                return {"TP": right, "FP": [], "FN": []}
            case _:
                raise AssertionError(f"nothing is scripted for {shape!r}")

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> JSONResponse:
            body = await request.json()
            shape, prompt = body["response_format"]["json_schema"]["name"], body["messages"][-1]["content"]
            self.calls.append(shape)
            self.keys.add(request.headers["authorization"])
            if self.failing:
                return JSONResponse({"error": {"message": "later"}}, self.failing.pop(0), {"retry-after": "0"})
            if any(part in prompt for part in self.refused):
                return JSONResponse({"error": {"message": "refused"}}, 400)
            message = {"role": "assistant", "content": json.dumps(self.answer(shape, asked(prompt)))}
            usage = {"prompt_tokens": TOKENS - 50, "completion_tokens": 50, "total_tokens": TOKENS}
            head = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "usage": usage}
            return JSONResponse({**head, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

        return app


def verdicts(given: dict[str, Any], supported: Callable[[str], bool]) -> Answer:
    """An `NLIStatementOutput` that says of each statement what `supported` does."""
    said = [{"statement": each, "reason": "", "verdict": int(supported(each))} for each in given["statements"]]
    return {"statements": said}
