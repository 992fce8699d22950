"""Names the wording of the prompts, so that answers of different wordings can be told apart."""

import json
from functools import cache
from hashlib import sha256

from agents.evaluation import judge
from agents.prompt import PROMPT_VERSION, messages
from agents.settings import Prompt


@cache
def prompt_version() -> str:
    """Twelve digits of the SHA-256 of the prompts without content; `PROMPT_VERSION` stands for what they add to it."""
    prompts = (PROMPT_VERSION, messages("", (), Prompt(), Prompt().tokens, 0, refusal=""), judge.TASKS)
    return sha256(json.dumps(prompts).encode()).hexdigest()[:12]
