"""The ways in which a judge fails a whole day, and how it judges on every other."""

from collections.abc import Callable, Mapping

from tests.tasks.evaluation.scripted_judge import LABELS, ScriptedJudge, verdicts

SHAPE = "NLIStatementOutput"


def honest(judge: ScriptedJudge) -> None:
    """It holds for true what stands in the passages, and what people labelled as they did."""
    judge.refused.clear()
    judge.said[SHAPE] = lambda given: verdicts(
        given, lambda statement: LABELS.get(statement, statement in given["context"])
    )


def away(judge: ScriptedJudge) -> None:
    """Every call is refused."""
    judge.refused.append("")


def babbles(judge: ScriptedJudge) -> None:
    """It answers in another shape."""
    judge.said[SHAPE] = lambda given: {"statements": "yes"}


def gives_no_number(judge: ScriptedJudge) -> None:
    """It has no verdict, by the number of which RAGAS divides."""
    judge.said[SHAPE] = lambda given: {"statements": []}


def agrees_with_everything(judge: ScriptedJudge) -> None:
    """Whatever is said is true."""
    judge.said[SHAPE] = lambda given: verdicts(given, lambda _: True)


def refuses_everything(judge: ScriptedJudge) -> None:
    """Whatever is said is false."""
    judge.said[SHAPE] = lambda given: verdicts(given, lambda _: False)


FAILURES: Mapping[str, Callable[[ScriptedJudge], None]] = {
    "is away": away,
    "babbles": babbles,
    "gives no number": gives_no_number,
    "agrees with everything": agrees_with_everything,
    "refuses everything": refuses_everything,
}
