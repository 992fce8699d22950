"""`python -m console golden propose` through OpenAI's client; the gateway and its model are scripted."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.golden import golden
from tasks.environment.variable_file import DIRECTORY_VARIABLE
from tasks.laptop.secret_file import GATEWAY_KEY, read_or_create_secrets
from tasks.platforms import Component
from tests.agents.scripted_gateway import ScriptedGateway
from tests.golden_environment import ASKED, GoldenEnvironment, golden_environment, question

BUTTON = "Press the green button to print."
MEMBERS = "Only members may send mail."


@pytest.fixture
def gateway() -> Iterator[ScriptedGateway]:
    scripted = ScriptedGateway()
    scripted.start()
    yield scripted
    scripted.stop()


@pytest.fixture
def own(tmp_path: Path, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> GoldenEnvironment:
    """A laptop whose record says that the gateway answers at the scripted one's port."""
    made = golden_environment(tmp_path)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(made.variable_files))
    record = made.data_directory / "supervisor" / "components" / "gateway.json"
    record.parent.mkdir(parents=True)
    component = Component("gateway", ("true",), "127.0.0.1", gateway.port, "/", {}, 1, "")
    record.write_text(json.dumps(asdict(component)), encoding="utf-8")
    return made


def suggestion(text: str, quote: str) -> dict[str, str]:
    return {"question": text, "answer": "So.", "quote": quote}


def propose(*arguments: str) -> Result:
    return CliRunner().invoke(golden, ["propose", "--environment", "local", *arguments])


def test_proposals_are_written_for_people_and_never_into_the_dataset(
    own: GoldenEnvironment, gateway: ScriptedGateway
) -> None:
    gateway.verdicts = [suggestion("How do I print?", BUTTON), suggestion("Who may send mail?", MEMBERS)]

    done = propose("--per-document", "1")

    assert done.exit_code == 0, done.output
    assert f"2 passages, 2 proposals added to {own.proposals}" in done.output
    assert own.read(own.proposals) == [
        question("a08", "How do I print?", "print.md", BUTTON, decision=""),
        question("a09", "Who may send mail?", "mail.md", MEMBERS, decision=""),
    ]
    assert own.read(own.dataset) == [ASKED]
    # The document without a question came first, and the section that one is about was not shown.
    shown = [body["messages"][-1]["content"] for body in gateway.judged]
    assert [passage.splitlines()[0] for passage in shown] == ["## How do I print?", "## Who may send mail?"]
    assert gateway.judged[0]["model"] == "smollm2-135m"
    assert gateway.judged[0]["response_format"]["json_schema"]["name"] == "Suggestion"
    assert gateway.keys == {f"Bearer {read_or_create_secrets(own.data_directory / 'secrets.env')[GATEWAY_KEY]}"}


def test_passages_that_wait_for_a_decision_are_not_asked_about_again(
    own: GoldenEnvironment, gateway: ScriptedGateway
) -> None:
    own.write(own.proposals, question("a08", "How do I print?", "print.md", BUTTON, decision=""))

    done = propose("--document", "print.md")

    assert done.exit_code == 0, done.output
    assert "0 passages, 0 proposals" in done.output
    assert gateway.judged == []


def test_what_does_not_hold_is_dropped_and_counted(own: GoldenEnvironment, gateway: ScriptedGateway) -> None:
    gateway.verdicts = [
        suggestion("How do I print?", "press the green button"),
        "I am a model.",
        suggestion(" ", MEMBERS),
    ]

    done = propose()

    assert done.exit_code == 0, done.output
    assert "3 passages, 0 proposals" in done.output
    assert "2 dropped: not the JSON that was asked for" in done.output
    assert "1 dropped: the quote is not verbatim" in done.output
    assert not own.proposals.exists()


def test_a_model_that_goes_away_leaves_what_it_proposed(own: GoldenEnvironment, gateway: ScriptedGateway) -> None:
    gateway.verdicts = [suggestion("How do I print?", BUTTON)]

    ended = propose()

    assert ended.exit_code == 1
    assert f"model 'smollm2-135m' at http://127.0.0.1:{gateway.port} does not answer: InternalServerError (500)" in (
        ended.output
    )
    assert [each["id"] for each in own.read(own.proposals)] == ["a08"]


def test_a_document_that_no_source_holds_is_wrong_input(own: GoldenEnvironment, gateway: ScriptedGateway) -> None:
    refused = propose("--document", "fax.md")

    assert refused.exit_code == 2
    assert "no source (documentation) holds ['fax.md']" in refused.output
    assert gateway.judged == []


def test_without_a_dataset_numbers_begin_at_one(own: GoldenEnvironment, gateway: ScriptedGateway) -> None:
    own.dataset.unlink()
    gateway.verdicts = [suggestion("How do I print?", BUTTON)]

    assert propose("--document", "print.md").exit_code == 0
    assert [each["id"] for each in own.read(own.proposals)] == ["a01"]
