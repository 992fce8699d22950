"""The gate of a release between two services: what counts as right, what got worse, and when that is too much.

Both services are scripted at the network boundary; the tasks that ask them run on a real Prefect server.
"""

import pytest
from prefect import flow
from pydantic import SecretStr

from flows.agents_in_cluster import explain
from tasks.agent_service.release_comparison import Verdict, ask_both
from tasks.environment.agents import Gate
from tasks.environment.variable_file import load_environment
from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.helm.derivations.agents import Version
from tasks.kubernetes.probe_result import Outcome
from tests.tasks.scripted_assistant import ScriptedAssistant, scripted_assistant

pytestmark = [pytest.mark.prefect_server, pytest.mark.usefixtures("prefect_server")]

SECONDS = 120


def question(identifier: str, document: str | None = "here.md") -> GoldenQuestion:
    """A labelled question; without a document nothing answers it."""
    return GoldenQuestion(
        id=identifier,
        kind="unanswerable" if document is None else "answerable",
        question=f"{identifier}?",
        reference="any",
        evidence=() if document is None else (Evidence(document=document, quote="any"),),
    )


QUESTIONS = (question("one"), question("two"), question("three"), question("four", None))
RIGHT = {"one?": "here.md", "two?": "here.md", "three?": "here.md", "four?": None}


def compare(canary: ScriptedAssistant, serving: ScriptedAssistant | None, gate: Gate, *keys: str) -> Verdict:
    """Ask both all questions, in a run: what the tasks log belongs to one."""
    url = None if serving is None else serving.url

    @flow(name="compare")
    def asked() -> Verdict:
        return ask_both(canary.url, url, QUESTIONS, gate, SECONDS, tuple(SecretStr(key) for key in keys))

    return asked()


def test_a_version_that_is_as_good_passes_and_says_who_asks() -> None:
    with scripted_assistant(RIGHT, key="the-key") as canary, scripted_assistant(RIGHT, key="before") as serving:
        verdict = compare(canary, serving, Gate(), "the-key", "before")
    assert verdict.outcome is Outcome.PROVED
    assert verdict.seen.startswith("4 of 4 golden questions right, 0 of 4 worse than with the version that serves")
    assert [path for path, _ in canary.asked] == ["/v1/models", *["/v1/search"] * 3, *["/v1/ask"] * 4]
    assert {key for _, key in canary.asked} == {"Bearer the-key"}
    assert {key for path, key in serving.asked if path == "/v1/ask"} == {"Bearer before"}


def test_a_version_that_lost_answers_is_refused_with_the_table_of_what_got_worse() -> None:
    worse = {"one?": "elsewhere.md", "two?": None, "three?": "here.md", "four?": "here.md"}
    with scripted_assistant(worse) as canary, scripted_assistant({**RIGHT, "two?": None}) as serving:
        verdict = compare(canary, serving, Gate(least_right=0, most_worse=0.25))
    assert verdict.outcome is Outcome.FAILED
    assert "1 of 4 golden questions right, 2 of 4 worse" in verdict.seen
    assert [(row.question, row.right, row.was_right, row.worse) for row in verdict.rows] == [
        ("one?", False, True, True),
        ("two?", False, False, False),
        ("three?", True, True, False),
        ("four?", False, True, True),
    ]
    assert verdict.rows[1].said == "abstained: I do not know."
    version = Version(f"any@sha256:{'1' * 64}", "{}")
    said = explain(load_environment("dev"), version, version, verdict)
    assert "is not released" in said
    assert "Worse: 'one?'; 'four?'" in said


@pytest.mark.parametrize(("least", "outcome"), [(0.5, Outcome.PROVED), (0.75, Outcome.FAILED)])
def test_the_first_version_has_to_get_enough_right(least: float, outcome: Outcome) -> None:
    half = {"one?": "here.md", "two?": None, "three?": None, "four?": None}
    with scripted_assistant(half) as canary:
        verdict = compare(canary, None, Gate(least_right=least))
    assert verdict.outcome is outcome
    assert "2 of 4 golden questions right, compared with none" in verdict.seen
    assert {row.was_right for row in verdict.rows} == {None}


def test_a_citation_of_the_copy_under_which_the_content_is_stored_is_right() -> None:
    stored = {**dict.fromkeys(RIGHT, "a-copy-of-here.md"), "two?": "elsewhere.md", "four?": None}
    with scripted_assistant(stored, found="a-copy-of-here.md") as canary, scripted_assistant(RIGHT) as serving:
        verdict = compare(canary, serving, Gate(least_right=0, most_worse=1))
    assert [(row.question, row.right, row.was_right) for row in verdict.rows] == [
        ("one?", True, True),
        ("two?", False, True),
        ("three?", True, True),
        ("four?", True, True),
    ]


def test_questions_about_another_corpus_are_only_answered() -> None:
    nothing: dict[str, str | None] = dict.fromkeys(RIGHT)
    with scripted_assistant(nothing, found="elsewhere.md", text="Of other things.") as canary:
        verdict = compare(canary, None, Gate(least_right=1))
    assert verdict.outcome is Outcome.PROVED
    assert "none of them is about this corpus" in verdict.seen


def test_a_version_that_serves_and_is_out_of_order_does_not_keep_its_successor_out() -> None:
    with scripted_assistant(RIGHT, key="the-key") as canary, scripted_assistant(RIGHT, key="other") as serving:
        verdict = compare(canary, serving, Gate(), "the-key")
    assert verdict.outcome is Outcome.PROVED
    assert "compared with none" in verdict.seen
