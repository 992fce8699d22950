"""Rows of people's answers: what is no number is missing, and never part of a mean."""

from agents.events import Kind
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.evaluation.gate import missing_scores
from tasks.evaluation.report import NO_NUMBER
from tasks.evaluation.trace_scoring import trace_rows, trace_values
from tasks.gateway import Gateway
from tasks.langfuse.traces import TracedAnswer


def nobody() -> Gateway:
    raise AssertionError("nobody judges")


def traced(name: str, kind: Kind, groundedness: float | None) -> TracedAnswer:
    return TracedAnswer(name, kind, "Which port?", "8080.", groundedness, None)


def test_a_groundedness_that_is_no_number_is_missing() -> None:
    answers = (traced("t1", "answered", 0.5), traced("t2", "answered", float("nan")), traced("t3", "abstained", None))
    rows, judging = trace_rows.fn(load_environment(EnvironmentName.DEV), (), answers, nobody)
    assert judging is None
    assert [row.missing for row in rows] == [{}, {"groundedness": NO_NUMBER}, {}]
    assert trace_values(rows, ("groundedness",)) == {"groundedness": 0.5}
    assert missing_scores(rows, "groundedness") == (1, 2)
