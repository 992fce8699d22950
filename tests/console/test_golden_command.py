"""`python -m console golden accept` and `coverage`, as a person types them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.golden import golden
from tasks.environment import REPOSITORY
from tasks.environment.variable_file import DIRECTORY_VARIABLE
from tests.golden_environment import ASKED, GoldenEnvironment, golden_environment, question

BUTTON = "Press the green button to print."


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoldenEnvironment:
    made = golden_environment(tmp_path)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(made.variable_files))
    return made


def command(*arguments: str) -> Result:
    return CliRunner().invoke(golden, arguments)


def proposed(identity: str, decision: str, **more: Any) -> dict[str, Any]:
    return {**question(identity, f"How do I print {identity}?", "print.md", BUTTON, decision=decision), **more}


def test_what_is_accepted_becomes_a_question_and_what_is_decided_leaves_the_file(own: GoldenEnvironment) -> None:
    waiting = proposed("a10", "")
    own.write(own.proposals, proposed("a08", "accept", kind="paraphrase"), proposed("a09", "reject"), waiting)

    done = command("accept")

    assert done.exit_code == 0, done.output
    assert "1 accepted" in done.output
    assert "1 rejected, 1 undecided" in done.output
    taken = {key: value for key, value in proposed("a08", "", kind="paraphrase").items() if key != "decision"}
    assert own.read(own.dataset) == [ASKED, taken]
    assert own.read(own.proposals) == [waiting]
    again = command("accept")
    assert again.exit_code == 0
    assert "0 accepted" in again.output
    assert own.read(own.dataset) == [ASKED, taken]


def test_a_run_that_ended_between_the_two_files_is_mended(own: GoldenEnvironment) -> None:
    own.write(own.proposals, {**ASKED, "decision": "accept"})

    assert command("accept").exit_code == 0
    assert own.read(own.dataset) == [ASKED]
    assert own.read(own.proposals) == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "a07"}, "the id 'a07' is taken"),
        ({"id": "a08"}, "the id 'a08' is taken"),
        ({"question": "when is MAIL sent"}, "'a07' asks the same"),
        (question("a09", "?", "print.md", "Press the red button"), "print.md does not hold 'Press the red button'"),
        (question("a09", "?", "print.md", "print"), "print.md holds 'print' 2 times"),
        (question("a09", "?", "mail.md", "batches.\n\n## When"), "spans paragraphs"),
        (question("a09", "?", "fax.md", "Fax"), "no source holds a readable document 'fax.md'"),
        ({"kind": "two_documents"}, "at least 2 document(s)"),
        ({"decision": "yes"}, "decision: Input should be '', 'accept' or 'reject', got \"yes\""),
        ({"answer": "a"}, "answer: Extra inputs are not permitted"),
    ],
)
def test_when_one_does_not_hold_none_is_taken(own: GoldenEnvironment, wrong: dict[str, Any], why: str) -> None:
    own.write(own.proposals, proposed("a08", "accept"), proposed("a09", "accept") | wrong)
    before = own.proposals.read_bytes()

    refused = command("accept")

    assert refused.exit_code == 2
    assert f"{own.proposals}, line 2: " in refused.output
    assert why in refused.output
    assert own.read(own.dataset) == [ASKED]
    assert own.proposals.read_bytes() == before


def test_coverage_shows_documents_without_a_question_first(own: GoldenEnvironment) -> None:
    own.write(own.dataset, ASKED, question("p01", "Gone?", "mail.md", "Nobody wrote this"))

    shown = command("coverage")

    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.output.splitlines()]
    assert rows[1] == ["print.md", "0", "0", "0", "0", "of", "1", "0%"]
    assert rows[2] == ["mail.md", "2", "0", "0", "1", "of", "3", "33%"]
    assert "2 questions, 0 of them unanswerable" in shown.output
    assert "p01: mail.md does not hold 'Nobody wrote this'" in shown.output


def test_coverage_of_the_questions_that_the_project_ships() -> None:
    arguments = [sys.executable, "-m", "console", "golden", "coverage", "--environment", "local"]
    shown = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (shown.returncode, shown.stderr) == (0, "")
    header, *lines = shown.stdout.splitlines()
    assert header.split() == ["document", "answerable", "paraphrase", "two_documents", "sections", "share"]
    rows = [line.split() for line in lines if ".md " in line]
    assert {row[0] for row in rows} == {path.name for path in (REPOSITORY / "docs").glob("*.md")}
    shares = [int(row[-1].rstrip("%")) for row in rows]
    assert shares == sorted(shares)
    assert all(int(row[4]) <= int(row[6]) for row in rows)
    # Every quote is in one of the documents, and all but the unanswerable questions are about one.
    assert "does not hold" not in shown.stdout
    assert sum(int(count) for row in rows for count in row[1:4]) > 60
