"""A judge for the evaluations of the tests."""

from collections.abc import Iterator

import pytest

from tests.tasks.evaluation.scripted_judge import ScriptedJudge


@pytest.fixture
def judge() -> Iterator[ScriptedJudge]:
    scripted = ScriptedJudge()
    scripted.start()
    yield scripted
    scripted.stop()
