"""A variable file of a laptop with the fewest keys, and what is said of it once it is changed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.environment.variable_file import InvalidEnvironment, read_variable_file

LAPTOP = """\
environment = {
  name      = "local"
  protected = false
  budget    = { monthly_usd = 0 }
  prefect = {
    api_url    = "http://127.0.0.1:4200/api"
    work_pools = { management = "management", cluster = "management" }
  }
}
laptop = {
  data_directory  = ".state"
  listen_host     = "127.0.0.1"
  ports           = { prefect = 4200, gateway = 4000, embedding = 4001, chat = 4002, agents = 8080, web_search = 8090 }
  when_port_taken = "pick_free"
}
models = {
  catalogue = {
    writer = {
      runs_on        = "bedrock"
      context_tokens = 2048
      bedrock_id     = "us.amazon.nova-pro-v1:0"
    }
    vectors = {
      runs_on        = "process"
      context_tokens = 512
      dimension      = 384
      packaged       = { package = "p", build = "copy", sha256 = "SHA", source_sha256 = "SHA" }
    }
  }
  chat      = "writer"
  reasoning = "writer"
  embedding = "vectors"
}
knowledge = {
  sources           = [{ name = "documentation", uri = "file://docs" }]
  chunks            = { tokens = 224, overlap_tokens = 32 }
  store             = { engine = "lancedb", directory = "knowledge" }
  schedule          = { cron = "0 3 * * *", timezone = "UTC" }
  fusion            = { method = "min_max", dense_weight = 0.3, candidates = 50 }
  generations_kept  = 3
  max_document_mib  = 64
  embedding_workers = 2
}
evaluation = {
  dataset              = "golden/questions.jsonl"
  metrics              = ["recall_at_5", "mrr"]
  thresholds           = { recall_at_5 = 0.85 }
  answers_in_lifecycle = 5
}
agents = {
  relevancy_threshold    = 0.35
  groundedness_threshold = 0.7
  passages               = 5
  answer_tokens          = 160
  answer_seconds         = 60
  question_bytes         = 8192
}
""".replace("SHA", "0" * 64)

Refused = Mapping[str, tuple[str, str, list[str]]]
"""By what is wrong: what is replaced in the file, by what, and what the error must say after the name of the file."""


def refusal(path: Path) -> str:
    """The error that reading the file raises."""
    with pytest.raises(InvalidEnvironment) as caught:
        read_variable_file(path)
    return str(caught.value)


def require_refused(path: Path, old: str, new: str, fragments: list[str]) -> None:
    """The file with `new` in the place of `old` is refused in lines that name it, and that say all `fragments`."""
    assert old in LAPTOP
    path.write_text(LAPTOP.replace(old, new, 1), encoding="utf-8")
    message = refusal(path)
    assert all(line.startswith(f"{path}:") for line in message.splitlines())
    for fragment in fragments:
        assert fragment in message
