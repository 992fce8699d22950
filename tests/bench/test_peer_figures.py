from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from bench import peers
from bench.peer_corpus import SECTIONS, PeerCorpus
from bench.peers import Comparison, Ingested, differences
from bench.record import Machine, Measured

RIGHT = ("",) * len(peers.STEPS)


def test_an_index_is_right_when_it_holds_every_passage_once() -> None:
    expected = Counter({("a.md", "1-0-0"): 1, ("a.md", "1-1-0"): 1})
    assert differences(expected, expected) == ""
    assert differences(expected, Counter({("a.md", "1-0-0"): 2, ("old.md", "1-1-0"): 1})) == "1 lost, 1 stale, 1 double"


def test_an_edit_changes_one_passage(tmp_path: Path) -> None:
    corpus = PeerCorpus(tmp_path)
    corpus.write_all(range(2))
    before = corpus.passages()
    corpus.edit([1], section=4, edition=1)
    assert sum(before.values()) == 2 * SECTIONS
    assert before - corpus.passages() == Counter({("0001.md", "1-4-0"): 1})
    assert corpus.passages() - before == Counter({("0001.md", "1-4-1"): 1})


def test_the_product_is_compared_with_the_faster_peer() -> None:
    own, slow, fast = (
        Ingested(name, full, (edit, edit, 9.0), RIGHT)
        for name, full, edit in (("own", 10.0, 1.0), ("slow", 40.0, 6.0), ("fast", 12.0, 3.0))
    )
    result = Comparison(100, (own, slow, fast))
    measured = Measured(datetime(2026, 1, 2, tzinfo=UTC), Machine(2, 23.5, "A CPU", 0.25, {}), result)
    section = peers.tables(measured)
    assert "| 10.0 s | 40.0 s | 12.0 s | **1.20 times** (reached: at least 1) |" in section
    assert "| 1.0 s | 6.0 s | 3.0 s | **3.00 times** (missed: at least 5) |" in section
    assert "| killed and run again | right | right | right |" in section
