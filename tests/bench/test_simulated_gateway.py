"""The simulated gateway finds the question in the prompt that the service writes, so that it gives its answer."""

import pytest

from agents.prompt import messages
from agents.settings import Prompt
from bench.simulated_gateway import asked_question

QUESTION = "What does `make down` stop?"


@pytest.mark.parametrize("refusal", [None, "nothing in it was in the documents"])
def test_the_question_is_found_in_the_prompt(refusal: str | None) -> None:
    prompt = messages(QUESTION, (), Prompt(), 2048, 160, refusal)[-1].get("content")
    assert isinstance(prompt, str)
    assert asked_question(prompt) == QUESTION
