"""A gateway whose models answer, embed and judge by script, as one gateway of an environment does."""

import json
from dataclasses import dataclass, field
from typing import Any

from fastapi.responses import JSONResponse

from tests.agents.scripted_gateway import ScriptedGateway
from tests.tasks.evaluation.scripted_judge import TOKENS, ScriptedJudge, asked


@dataclass
class JudgingGateway(ScriptedGateway):
    """`judge` says what an evaluation's judge says."""

    judge: ScriptedJudge = field(default_factory=ScriptedJudge)

    def _verdict(self, body: Any) -> JSONResponse:
        shape = body["response_format"]["json_schema"]["name"]
        if shape in ("RelevancyRating", "FaithfulnessVerdict"):
            # The service's own questions, which it can do without.
            return super()._verdict(body)
        said = json.dumps(self.judge.answer(shape, asked(body["messages"][-1]["content"])))
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        usage = {"prompt_tokens": TOKENS, "completion_tokens": 0, "total_tokens": TOKENS}
        head = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "usage": usage}
        return JSONResponse({**head, "choices": [choice]})
