from pathlib import Path

import numpy as np
import pytest

from agents.knowledge.documents import DocumentRef
from agents.knowledge.parsing import parse
from bench.ablation import Scores, SetScores
from bench.figures import paired_interval
from bench.late_interaction import max_sim
from bench.python_faq import Entry, entries_of, write_answers
from bench.retrieval import beating_both_legs

PAGE = """<meta charset="utf-8">
<section><h1>FAQ</h1>
  <section><h2>General<a>¶</a></h2>
    <section><h3>Why is <code>self</code> named?<a>¶</a></h3><p>By habit.</p><pre>def go(self): ...</pre></section>
    <section><h3>Empty?</h3></section>
  </section>
</section>
"""
ENTRY = Entry(
    ("FAQ", "General"),
    "Why is self named?",
    "By habit.\n\ndef go(self): ...",
    "<p>By habit.</p><pre>def go(self): ...</pre>",
)


def ndcg(**gains: float) -> SetScores:
    scores = tuple(Scores(name.replace("_", " "), 0, 0, gain, gain / 2) for name, gain in gains.items())
    return SetScores("set", 1, 1, 1, scores, (), {}, 0, 0)


def test_a_ranking_has_to_be_above_both_legs_in_every_set() -> None:
    sets = (
        ndcg(BM25_alone=0.6, vectors_alone=0.8, RRF=0.85, other=0.9, equal=0.8),
        ndcg(BM25_alone=0.9, vectors_alone=0.8, RRF=0.92, other=0.85, equal=0.95),
    )
    assert beating_both_legs(sets) == ["RRF"]


def test_an_interval_holds_zero_where_pairs_differ_as_often_up_as_down() -> None:
    wavering = paired_interval([0.6, 0.4] * 50, [0.5] * 100)
    assert wavering.low < 0 < wavering.high
    assert wavering.mean == pytest.approx(0)


def test_an_interval_is_the_difference_where_all_pairs_differ_alike() -> None:
    steady = paired_interval([0.5, 0.9], [0.25, 0.65])
    assert (steady.mean, steady.low, steady.high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_question_is_as_near_as_the_best_token_of_the_passage_for_each_of_its_own() -> None:
    question = np.array([[1, 0], [0, 1]], dtype=np.float32)
    passage = np.array([[1, 0], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    assert max_sim(question, passage) == pytest.approx((1 + 0.8) / 2)


def test_an_entry_of_the_faq_is_a_heading_that_asks_and_the_text_below_it() -> None:
    assert list(entries_of(PAGE.encode())) == [ENTRY]


def test_an_answer_is_written_below_the_headings_of_its_question(tmp_path: Path) -> None:
    _, names = write_answers(tmp_path / "pages", [ENTRY])
    page = (tmp_path / "pages" / names[0]).read_bytes()
    document = parse(DocumentRef("faq", "file:///0", names[0], len(page)), page)
    assert document.title == "FAQ > General"
    assert "FAQ" not in document.text
    assert "Why" not in document.text
    assert "By habit." in document.text
