"""Sections that are well by themselves and do not fit each other."""

import re
from pathlib import Path

import pytest

from tasks.agent_service.settings import agent_settings
from tasks.environment.variable_file import read_variable_file
from tests.tasks.environment.laptop_file import LAPTOP, Refused, refusal, require_refused

REFUSED: Refused = {
    "account on a laptop": (
        "protected = false",
        'protected = false\n  account_id = "111122223333"',
        ["'local' has no environment.account_id"],
    ),
    "AWS environment with a laptop": ('"local"', '"dev"', ["'local' needs a laptop section, others have none"]),
    "GPU on a laptop": (
        'runs_on        = "bedrock"\n      context_tokens = 2048\n      bedrock_id     = "us.amazon.nova-pro-v1:0"',
        f'runs_on = "gpu"\n context_tokens = 2048\n weights = {{ repository = "a/b", revision = "{"0" * 40}", '
        'licence = "mit" }\n serving = { accelerators = 1, cpus = 1, memory_gib = 1 }',
        ["models.catalogue.writer.runs_on = 'gpu' is not possible in 'local'; allowed are process, bedrock"],
    ),
    "model with another origin": (
        'runs_on        = "process"',
        'runs_on = "bedrock"',
        ["models.catalogue.vectors: runs_on = 'bedrock' needs bedrock_id and no other origin, but it has packaged"],
    ),
    "role without a model": (
        'chat      = "writer"',
        'chat = "poet"',
        ["models: chat = 'poet' is not in the catalogue; it"],
    ),
    "embedding model that writes": (
        'chat      = "writer"',
        'chat = "vectors"',
        ["chat = 'vectors' is an embedding model"],
    ),
    "embedding model without dimension": ("      dimension      = 384\n", "", ["needs catalogue.vectors.dimension"]),
    "fallback to itself": (
        'bedrock_id     = "us',
        'fallbacks = ["writer"]\n bedrock_id     = "us',
        ["catalogue.writer.fallbacks has 'writer'; allowed are vectors"],
    ),
    "overlap above half": ("overlap_tokens = 32", "overlap_tokens = 113", ["overlap_tokens = 113 may be at most half"]),
    "chunks longer than the model reads": (
        "tokens = 224",
        "tokens = 513",
        ["'vectors' reads: its context_tokens is 512"],
    ),
    "answer longer than the context": ("= 160", "= 2048", ["agents.answer_tokens = 2048 leaves no room"]),
    "metric that a judge scores, and no judge": (
        '"recall_at_5", "mrr"',
        '"recall_at_5", "mrr", "faithfulness"',
        ["evaluation.metrics has faithfulness, which a model judges"],
    ),
    "threshold that is not measured": ('"recall_at_5", "mrr"', '"mrr"', ["thresholds.recall_at_5 is never measured"]),
    "traces of which nothing is measured": (
        '"recall_at_5", "mrr"]',
        '"recall_at_5", "mrr"]\n  traces = { sample = 5 }',
        ["evaluation: traces needs one of groundedness, faithfulness, answer_relevancy in metrics"],
    ),
    "traces that are nowhere": (
        '"recall_at_5", "mrr"]',
        '"recall_at_5", "mrr", "groundedness"]\n  traces = { sample = 5 }',
        ["evaluation.traces measures what is in Langfuse, where no traces go"],
    ),
    "threshold of traces that is not measured": (
        '"recall_at_5", "mrr"]',
        '"recall_at_5", "mrr", "groundedness"]\n  traces = { sample = 5, thresholds = { faithfulness = 1 } }',
        ["traces.thresholds.faithfulness is never measured"],
    ),
    "two sources of one name": (
        '[{ name = "documentation", uri = "file://docs" }]',
        '[{ name = "a", uri = "file://b" }, { name = "a", uri = "file://c" }]',
        ["knowledge: sources has the name 'a' more than once"],
    ),
    "two components on a port": (
        "gateway = 4000",
        "gateway = 4001",
        ["laptop.ports: embedding and gateway share a port"],
    ),
    "OpenSearch nowhere": (
        'engine = "lancedb", directory = "knowledge"',
        'engine = "opensearch", index_prefix = "local"',
        ["knowledge.store.endpoint is missing"],
    ),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_sections_that_do_not_fit_are_refused(variable_file: Path, old: str, new: str, fragments: list[str]) -> None:
    require_refused(variable_file, old, new, fragments)


def with_a_talker(role: str) -> str:
    """The laptop's file with a second model, which reads fewer tokens than an answer may have, in the role `role`."""
    talker = 'talker = { runs_on = "bedrock", context_tokens = 128, bedrock_id = "us.amazon.nova-micro-v1:0" }'
    text = LAPTOP.replace("    vectors = {", f"    {talker}\n    vectors = {{", 1)
    return re.sub(rf'^(  {role} +=) "writer"', r'\1 "talker"', text, count=1, flags=re.MULTILINE)


def test_the_answer_has_to_fit_the_model_that_writes_it(variable_file: Path) -> None:
    variable_file.write_text(with_a_talker("reasoning"), encoding="utf-8")
    assert "the reasoning model 'talker' has context_tokens = 128" in refusal(variable_file)


def test_the_service_writes_with_the_reasoning_model_whatever_the_chat_model_is(variable_file: Path) -> None:
    variable_file.write_text(with_a_talker("chat"), encoding="utf-8")
    environment = read_variable_file(variable_file)
    told = agent_settings(environment, "127.0.0.1", 8080, "http://127.0.0.1:4000/v1").models
    assert (environment.models.chat, told.reasoning.name) == ("talker", "writer")
    assert told.reasoning.context_tokens == 2048
