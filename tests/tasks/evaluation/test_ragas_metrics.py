"""RAGAS's own metrics on texts whose scores are known, and that using them stays on this machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.evaluation.ragas_metrics import Contexts, ContextScores, score_answers, score_contexts
from tasks.evaluation.retrieval_metrics import RankedPassage, context_precision

LONG = "Gardeners water the roses in the evening. " * 12
QUOTE = "A generation is an immutable index."
HOLDING = LONG + QUOTE + LONG


def test_a_passage_that_holds_the_quote_scores_one_wherever_it_stands_in_it() -> None:
    (scores,) = score_contexts([Contexts((HOLDING,), (QUOTE,))])
    assert (scores.precision, scores.recall) == pytest.approx((1, 1))


def test_precision_falls_with_the_rank_of_the_first_holding_passage_and_recall_counts_quotes() -> None:
    (scores,) = score_contexts([Contexts((LONG, HOLDING), (QUOTE, "Nobody ever wrote this sentence down."))])
    assert (scores.precision, scores.recall) == pytest.approx((0.5, 0.5))


def test_a_short_passage_does_not_hold_a_longer_quote() -> None:
    assert score_contexts([Contexts(("index",), (QUOTE,))]) == [ContextScores(0, 0)]


def test_nothing_retrieved_scores_nothing() -> None:
    assert score_contexts([Contexts((), (QUOTE,))]) == [ContextScores(0, 0)]


def test_questions_without_evidence_are_refused() -> None:
    with pytest.raises(ValueError, match="need evidence"):
        score_contexts([Contexts((LONG,), ())])


def test_answers_are_compared_by_cosine_and_by_common_words() -> None:
    vectors = {"yes": [1.0, 0.0], "no": [0.0, 1.0]}
    same, different = score_answers([("yes", "yes"), ("no", "yes")], vectors.__getitem__)
    assert (same.similarity, same.rouge_l) == pytest.approx((1, 1))
    assert (different.similarity, different.rouge_l) == pytest.approx((0, 0))


def test_scoring_neither_connects_to_anything_nor_writes_into_the_home_directory(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "def forbid(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo'): print('NETWORK', event, arguments, flush=True)\n"
        "sys.addaudithook(forbid)\n"
        "from tasks.evaluation.ragas_metrics import Contexts, score_answers, score_contexts\n"
        "score_contexts([Contexts(('a passage',), ('a quote',))])\n"
        "score_answers([('a', 'b')], lambda text: [1.0])\n"
        "from ragas._analytics import _analytics_batcher as events\n"
        "print(len(events.buffer), 'events'); events.shutdown()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
        cwd=Path(__file__).parents[3],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert run.stdout.split("\n")[0] == "0 events", run.stdout
    assert not list(tmp_path.rglob("uuid.json"))


@pytest.mark.parametrize(
    "found", [(HOLDING,), (LONG, HOLDING), (HOLDING, LONG, HOLDING), (LONG, LONG, HOLDING, HOLDING), (LONG,), ()]
)
def test_the_context_precision_of_the_gate_is_that_of_ragas(found: tuple[str, ...]) -> None:
    (scores,) = score_contexts([Contexts(found, (QUOTE,))])
    passages = [RankedPassage("a.md", text) for text in found]
    assert context_precision(passages, [("a.md", QUOTE)]) == pytest.approx(scores.precision, abs=1e-6)
