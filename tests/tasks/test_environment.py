import re
from pathlib import Path

import pytest

from tasks.agent_settings import agent_settings
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import InvalidEnvironment, load_environment, read_variable_file

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

# what is replaced in the file above, by what, and what the error must say (after the name of the file)
REFUSED = {
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
    # values
    "not in the enumeration": (
        '"pick_free"',
        '"pick"',
        [":14: laptop.when_port_taken = \"pick\", but it must be 'pick_free' or 'refuse'"],
    ),
    "unknown environment name": ('"local"', '"staging"', ["environment.name", "'local', 'dev' or 'prod'"]),
    "above the range": ("= 0.35", "= 1.35", ["agents.relevancy_threshold = 1.35, but it must be a number from 0 to 1"]),
    "below the range": (
        "recall_at_5 = 0.85",
        "recall_at_5 = -1",
        ["evaluation.thresholds.recall_at_5 = -1", "from 0 to"],
    ),
    "too small": ("tokens = 224", "tokens = 8", ["knowledge.chunks.tokens = 8", "a whole number, 32 or more"]),
    "not above zero": ("answer_seconds         = 60", "answer_seconds = 0", ["answer_seconds = 0", "a number above 0"]),
    "unknown store": ('"lancedb"', '"lance"', ['knowledge.store.engine = "lance"', "'lancedb' or 'opensearch'"]),
    "store without engine": ('engine = "lancedb", ', "", ["knowledge.store.engine is missing", "'lancedb' or"]),
    "key of the other store": (
        'directory = "knowledge"',
        'directory = "knowledge", shards = 1',
        ["knowledge.store has the unknown key 'shards'", "allowed are directory, engine"],
    ),
    "store outside the data directory": (
        '"knowledge"',
        '"../knowledge"',
        ["store.directory: '../knowledge' must be a rel"],
    ),
    "source of another kind": (
        "file://docs",
        "http://docs",
        ["knowledge.sources.0.uri", "file://<directory> or s3://"],
    ),
    "malformed hash": ("0" * 64, "0" * 63, ["catalogue.vectors.packaged.sha256", "64 digits"]),
    "cron line that never comes": ("0 3 * * *", "0 25 * * *", ["the hour is '25', allowed are * or 0..23"]),
    "cron line of four fields": ("0 3 * * *", "0 3 * *", ["knowledge.schedule.cron", "five fields"]),
    "unknown time zone": (
        '"UTC"',
        '"Mars/Base"',
        ["knowledge.schedule.timezone: 'Mars/Base' is not an IANA time zone"],
    ),
    # combinations
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
    # what is not a list of literals
    "syntax": ("protected = false", "protected =", [":3:14: HCL syntax error: the line ends too early"]),
    "stray character": ("protected = false", "protected = false @", [":3:21: HCL syntax error at '@'"]),
    "open bracket": (
        "  question_bytes         = 8192\n}\n",
        "",
        ["HCL syntax error: the file ends here, but a bracket"],
    ),
    "block": ("agents = {", "agents {", [":50:1: a block is not allowed; write it with an equals sign"]),
    "two keys on a line": (
        "protected = false",
        "protected = false region = null",
        [":3:21: two keys on one line need"],
    ),
    "reference": ('".state"', "var.directory", ["laptop.data_directory must be a literal"]),
    "bare word": ('"pick_free"', "pick_free", ["laptop.when_port_taken must be a literal"]),
    "interpolation": ('".state"', '"${var.home}/.state"', ["laptop.data_directory must be a literal", "$${"]),
    "directive": ('".state"', '"%{ if true }a%{ endif }"', ["laptop.data_directory must be a literal"]),
    "function": ('".state"', 'pathexpand("~/.state")', ["laptop.data_directory must be a literal"]),
    "operator": ("= 160", "= 16 * 10", ["agents.answer_tokens must be a literal"]),
    "heredoc": ('".state"', "<<EOT\n.state\nEOT", ["laptop.data_directory must be a literal"]),
    "unknown escape": ('".state"', r'"\state"', [r"laptop.data_directory has the escape \s; allowed are \n"]),
    "surrogate": ('".state"', r'"\ud800"', [r"has the escape \ud800"]),
    "computed key": ("passages               = 5", "(passages) = 5", ["a key must be a name"]),
    "number beyond exactness": ("= 160", "= 1e300", ["agents.answer_tokens is too large a number"]),
    "number beyond floats": ("= 160", "= 1e999999999", ["agents.answer_tokens is too large a number"]),
    "brackets without end": ("= 160", f"= {'[' * 5000}{']' * 5000}", ["agents has brackets nested deeper than 16"]),
    # secrets
    "access key": ('".state"', '"AKIAIOSFODNN7EXAMPLE"', [":11: holds an AWS access key", "environment variables"]),
}


@pytest.fixture
def variable_file(tmp_path: Path) -> Path:
    path = tmp_path / "local.tfvars"
    path.write_text(LAPTOP, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidEnvironment) as caught:
        read_variable_file(path)
    return str(caught.value)


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_file_is_refused_by_file_line_key_and_what_is_allowed(
    variable_file: Path, old: str, new: str, fragments: list[str]
) -> None:
    assert old in LAPTOP
    variable_file.write_text(LAPTOP.replace(old, new, 1), encoding="utf-8")
    message = refusal(variable_file)
    assert all(line.startswith(f"{variable_file}:") for line in message.splitlines())
    for fragment in fragments:
        assert fragment in message


def test_every_problem_is_reported_in_the_order_of_the_file(variable_file: Path) -> None:
    variable_file.write_text(
        LAPTOP.replace("protected = false", "protected = 1").replace("passages               = 5", "passages = 0")
    )
    first, second = refusal(variable_file).splitlines()
    assert first == f"{variable_file}:3: environment.protected = 1, but it must be true or false"
    assert second == f"{variable_file}:53: agents.passages = 0, but it must be a whole number from 1 to 50"


def test_a_secret_is_not_repeated_in_the_error(variable_file: Path) -> None:
    variable_file.write_text(LAPTOP.replace('".state"', '"AKIAIOSFODNN7EXAMPLE"'))
    assert "IOSFODNN7" not in refusal(variable_file)


@pytest.mark.parametrize("content", [b"", b"# nothing\n"], ids=["no byte", "a comment"])
def test_an_empty_file_misses_every_section(variable_file: Path, content: bytes) -> None:
    variable_file.write_bytes(content)
    message = refusal(variable_file)
    for section in ("environment", "models", "knowledge", "evaluation", "agents"):
        assert f"{variable_file}:1: {section} is missing" in message


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (LAPTOP.replace(".state", "\xe9").encode("latin-1"), ":11: byte 0xe9 is not UTF-8"),
        (LAPTOP.encode("utf-8-sig"), ":1: starts with a byte order mark"),
        (b"\x00\x01\x02", ":1:1: HCL syntax error"),
    ],
    ids=["latin-1", "byte order mark", "binary"],
)
def test_a_file_in_another_encoding_is_refused(variable_file: Path, content: bytes, fragment: str) -> None:
    variable_file.write_bytes(content)
    assert f"{variable_file}{fragment}" in refusal(variable_file)


def test_a_directory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"a \"b\" \\ c"', 'a "b" \\ c'),
        (r'"\\n\n\t"', "\\n\n\t"),
        (r'"\u00e9\U0001F600"', "é😀"),
        ('"é # // /* no comment */"', "é # // /* no comment */"),
        ('"$${home} %%{if}"', "${home} %{if}"),
    ],
)
def test_strings_have_the_value_that_hcl_gives_them(variable_file: Path, written: str, value: str) -> None:
    variable_file.write_text(LAPTOP.replace('".state"', written), encoding="utf-8")
    laptop = read_variable_file(variable_file).laptop
    assert laptop is not None
    assert laptop.data_directory == value


@pytest.mark.parametrize("written", ["1e3", "1000.0", "1.0e+3", "01000"])
def test_a_whole_number_is_whole_however_it_is_written(variable_file: Path, written: str) -> None:
    variable_file.write_text(LAPTOP.replace("= 160", f"= {written}"))
    assert read_variable_file(variable_file).agents.answer_tokens == 1000


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


def test_null_is_the_default_of_an_optional_key(variable_file: Path) -> None:
    variable_file.write_text(LAPTOP.replace('"file://docs"', '"file://docs", include = null'))
    assert read_variable_file(variable_file).knowledge.sources[0].include == ("**/*",)


def test_windows_line_ends_change_nothing(variable_file: Path) -> None:
    plain = read_variable_file(variable_file)
    variable_file.write_bytes(LAPTOP.replace("\n", "\r\n").encode())
    assert read_variable_file(variable_file) == plain


@pytest.mark.parametrize("name", EnvironmentName)
def test_every_environment_of_the_repository_is_accepted(name: EnvironmentName) -> None:
    assert load_environment(name).name is name


def test_an_unknown_environment_names_the_known_ones() -> None:
    with pytest.raises(InvalidEnvironment, match=r"unknown environment 'staging'; .* local, dev, prod"):
        load_environment("staging")


def test_production_is_protected_and_nothing_else_is_shared_with_dev() -> None:
    dev, prod = load_environment("dev"), load_environment("prod")
    assert prod.environment.protected
    assert prod.environment.account_id != dev.environment.account_id
    assert prod.knowledge.sources[0].uri != dev.knowledge.sources[0].uri
