"""A key that is missing, unknown or of the wrong type, by file, line, key and what is allowed."""

from pathlib import Path

import pytest

from tasks.environment.variable_file import read_variable_file
from tests.tasks.environment.laptop_file import LAPTOP, Refused, refusal, require_refused

REFUSED: Refused = {
    # keys
    "unknown key": (
        "passages               = 5",
        "passage = 5",
        ["agents has the unknown key 'passage'; did you mean 'passages'?", "answer_seconds, answer_tokens"],
    ),
    "missing key": ("  passages               = 5\n", "", [":50: agents.passages is missing", "from 1 to 50"]),
    "unknown section": ("agents = {", "agent = {", ["the file has the unknown key 'agent'; did you mean 'agents'?"]),
    "missing section": ("agents = {", "agent = {", ["agents is missing; it must be an object with the keys allowance"]),
    "unknown metric with a threshold": (
        "recall_at_5 = 0.85",
        "recal_at_5 = 0.85",
        [":47: evaluation.thresholds has the unknown key 'recal_at_5'; did you mean 'recall_at_5'?"],
    ),
    "key given twice in an object": (
        "answer_tokens          = 160",
        "passages = 6",
        [":54:3: agents.passages is given twice, first on line 53"],
    ),
    "section given twice": ("agents = {", "laptop = {", ["laptop is given twice, first on line 10"]),
    # types
    "string for a number": ("passages               = 5", 'passages = "5"', ['agents.passages = "5", but', "whole"]),
    "number for a string": ('"0 3 * * *"', "3", ["knowledge.schedule.cron = 3, but it must be a cron line"]),
    "fraction for a whole number": ("passages               = 5", "passages = 5.5", ["= 5.5, but", "whole number"]),
    "number for true or false": ("protected = false", "protected = 0", ["environment.protected = 0", "true or false"]),
    "string for a section": (
        "{ monthly_usd = 0 }",
        '"free"',
        ['budget = "free"', "an object with the keys monthly_usd"],
    ),
    "string for a list": (
        '["recall_at_5", "mrr"]',
        '"mrr"',
        ['metrics = "mrr"', "a list of at least one, each 'recall"],
    ),
    "empty list": (
        '[{ name = "documentation", uri = "file://docs" }]',
        "[]",
        ["knowledge.sources = []", "at least one"],
    ),
    "null where a value is needed": ("passages               = 5", "passages = null", ["agents.passages is missing"]),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_key_or_type_is_refused_by_file_line_key_and_what_is_allowed(
    variable_file: Path, old: str, new: str, fragments: list[str]
) -> None:
    require_refused(variable_file, old, new, fragments)


def test_every_problem_is_reported_in_the_order_of_the_file(variable_file: Path) -> None:
    variable_file.write_text(
        LAPTOP.replace("protected = false", "protected = 1").replace("passages               = 5", "passages = 0")
    )
    first, second = refusal(variable_file).splitlines()
    assert first == f"{variable_file}:3: environment.protected = 1, but it must be true or false"
    assert second == f"{variable_file}:53: agents.passages = 0, but it must be a whole number from 1 to 50"


@pytest.mark.parametrize("content", [b"", b"# nothing\n"], ids=["no byte", "a comment"])
def test_an_empty_file_misses_every_section(variable_file: Path, content: bytes) -> None:
    variable_file.write_bytes(content)
    message = refusal(variable_file)
    for section in ("environment", "models", "knowledge", "evaluation", "agents"):
        assert f"{variable_file}:1: {section} is missing" in message


def test_null_is_the_default_of_an_optional_key(variable_file: Path) -> None:
    variable_file.write_text(LAPTOP.replace('"file://docs"', '"file://docs", include = null'))
    assert read_variable_file(variable_file).knowledge.sources[0].include == ("**/*",)
