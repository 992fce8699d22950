from bench.python_faq import entries_of
from bench.retrieval import Scores, SetScores, beating_both_legs

PAGE = """<meta charset="utf-8">
<section><h1>FAQ</h1>
  <section><h2>General<a>¶</a></h2>
    <section><h3>Why is <code>self</code> named?<a>¶</a></h3><p>By habit.</p><pre>def go(self): ...</pre></section>
    <section><h3>Empty?</h3></section>
  </section>
</section>
"""


def ndcg(**gains: float) -> SetScores:
    scores = tuple(Scores(name.replace("_", " "), 0, 0, gain) for name, gain in gains.items())
    return SetScores("set", 1, 1, 1, scores)


def test_a_ranking_has_to_be_above_both_legs_in_every_set() -> None:
    sets = (
        ndcg(BM25_alone=0.6, vectors_alone=0.8, RRF=0.85, other=0.9, equal=0.8),
        ndcg(BM25_alone=0.9, vectors_alone=0.8, RRF=0.92, other=0.85, equal=0.95),
    )
    assert beating_both_legs(sets) == ["RRF"]


def test_an_entry_of_the_faq_is_a_heading_that_asks_and_the_text_below_it() -> None:
    assert list(entries_of(PAGE.encode())) == [("Why is self named?", "By habit.\n\ndef go(self): ...")]
