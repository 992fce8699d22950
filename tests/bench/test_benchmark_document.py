from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import ask, refresh, retrieval, up
from bench.__main__ import BENCHES, main
from bench.ablation import LEGS, Scores, SetScores
from bench.document import DOCUMENT, InvalidDocument, against, replace_section, seconds, table
from bench.figures import Interval
from bench.options import local_environment
from bench.record import Machine, Measured, present_machine, read_record, write_record
from bench.refreshing import Refreshed
from tasks.environment import REPOSITORY

MACHINE = Machine(2, 23.5, "A CPU", 0.25, {"Python": "3.11.7"})


def measured(result: Any) -> Measured[Any]:
    return Measured(datetime(2026, 1, 2, tzinfo=UTC), MACHINE, result)


def refreshed(seconds: float, embedded: int) -> Refreshed:
    return Refreshed("g1", 1000, 1, 12_000, embedded, 1.0, 20.0, 990.0, seconds)


COST = refresh.RefreshCost(
    corpus="manual",
    workers=2,
    cutting=30.0,
    slice_chunks=1500,
    direct=(13.0, 12.0),
    ray_starts=(9.0, 10.0, 20.0),
    full=refreshed(1010.0, 12_000),
    unchanged=(refreshed(1.0, 0), refreshed(2.0, 0), refreshed(9.0, 0)),
)
ASKED = ask.Asked("answered", 30.0, {"embed": 5.0, "search": 6.0, "judge": 1.0, "model": 12.0, "total": 27.0})
ABSTAINED = ask.Asked("abstained", 15.0, {"embed": 5.0, "search": 6.0, "judge": 1.0, "total": 13.0})


def test_refresh_is_measured_without_the_start_of_ray() -> None:
    assert COST.without_start == 1000.0
    assert COST.ratio == pytest.approx(12.0 / 12.48)
    assert COST.unchanged_share == pytest.approx(2 / 1010)


def test_refresh_tables_state_raw_figures_beside_the_ratios() -> None:
    section = refresh.tables(measured(COST))
    assert "Measured 2026-01-02 on 2 cores (A CPU), 23.5 GiB, load average 0.25 at the start; Python 3.11.7." in section
    assert "| corpus | manual: 1,000 pages, 12,000 chunks, 1 unreadable |" in section
    assert "12.48 chunks/s (13.00 before, 12.00 after)" in section
    assert "| ratio, Ray's start apart | **0.962** (reached: at least 0.85) |" in section
    assert "| share of the full refresh | **0.20 %** (reached: under 2 %) |" in section


def test_ratio_on_a_busy_machine_proves_nothing() -> None:
    busy = replace(COST, direct=(13.0, 6.5))
    assert "(proves nothing: the model's own rate moved by 50 % meanwhile)" in refresh.tables(measured(busy))


def test_ask_counts_everything_but_models_gateway_and_search() -> None:
    assert (ASKED.added_ms, ABSTAINED.added_ms) == (7.0, 4.0)
    section = ask.tables(measured(ask.AskOverhead(1, (ASKED, ABSTAINED), 24)))
    assert "1 abstained, 1 answered. Every one was traced; 24 spans had arrived at the end." in section
    assert (
        "Added at the median: **7.0 ms** (reached: at most 10 ms); at the 99th percentile: **7.0 ms** (rea" in section
    )
    assert "| **added by the service**, all questions | 2 | 5.50 | 7.00 | 7.00 |" in section
    assert "| `model` | 1 | 12.00 | 12.00 | 12.00 |" in section


def test_up_says_what_fell_short() -> None:
    starts = (up.Started("stopped", 180, 200.0, {"models": 20.0}), up.Started("all up", 60, 30.0, {"agents": 0.5}))
    section = up.tables(measured(up.UpTime(starts, (ASKED,))))
    assert "| stopped | **200 s** (missed: under 180 s) | 20.0 s | 0 ms |" in section
    assert "| all up | **30.0 s** (reached: under 60 s) | 0 ms | 500 ms |" in section


def test_retrieval_marks_the_best_and_the_configured_ranking() -> None:
    scores = (Scores("RRF", 0.8, 0.7, 0.75, 0.7), Scores("BM25 alone", 0.9, 0.6, 0.75, 0.7))
    reranked = (Scores("reranked by MaxSim", 0.5, 0.5, 0.8, None),)
    sets = (
        SetScores("golden", 10, 3, 40, scores, reranked, {"over the better leg": Interval(0, -0.1, 0.1)}, 6.4, 1234),
    )
    section = retrieval.tables(measured(retrieval.Retrieval("RRF", 50, sets)))
    assert "| RRF (configured) | 0.800 | **0.700** | 0.750 | 0.700 |" in section
    assert "| BM25 alone | **0.900** | 0.600 | 0.750 | 0.700 |" in section
    assert "| reranked by MaxSim | 0.500 | 0.500 | **0.800** |  |" in section
    assert "Highest nDCG@10, mean of the tables: RRF (0.750); configured: RRF (0.750)." in section
    assert "Above the better leg in every table: none." in section
    assert "| over the better leg | +0.000 (-0.100 to +0.100) |" in section
    assert "with kept token vectors and without, on a machine as busy as said above: 6 and 1,234 ms." in section


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "new" / "refresh.json", MACHINE, COST)
    assert read_record(tmp_path / "new" / "refresh.json", refresh.RECORD).result == COST


def test_this_machine_is_described() -> None:
    machine = present_machine()
    assert machine.cores >= 1
    assert machine.cpu
    assert {"Python", "ray", "lancedb"} <= machine.versions.keys()


def test_section_replaces_what_was_between_its_markers(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("a\n<!-- bench up: begin -->\nold\n<!-- bench up: end -->\nb\n", encoding="utf-8")
    replace_section(document, "up", "new")
    replace_section(document, "up", "newer")
    assert document.read_text(encoding="utf-8") == "a\n<!-- bench up: begin -->\nnewer\n<!-- bench up: end -->\nb\n"


@pytest.mark.parametrize("text", ["", "<!-- bench up: end -->\n<!-- bench up: begin -->", "<!-- bench up: begin -->"])
def test_document_without_its_markers_is_refused(tmp_path: Path, text: str) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidDocument, match="bench up: begin"):
        replace_section(document, "up", "new")


@pytest.mark.parametrize("name", BENCHES)
def test_document_has_a_place_for_every_bench(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "benchmarks.md"
    copy.write_bytes(DOCUMENT.read_bytes())
    replace_section(copy, name, "figures")
    assert "figures" in copy.read_text(encoding="utf-8")


def test_document_names_no_place_on_a_machine() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert str(REPOSITORY) not in text
    assert "/usr/share" not in text


@pytest.mark.parametrize(("value", "shown"), [(0.0123, "12 ms"), (9.876, "9.9 s"), (1234.5, "1,234 s")])
def test_durations_are_rounded_to_what_matters(value: float, shown: str) -> None:
    assert seconds(value) == shown


def test_table_and_target() -> None:
    assert (
        table(("a", "b"), (("1", against("2", "under 1", False)),))
        == "| a | b |\n| --- | --- |\n| 1 | 2 (missed: under 1) |"
    )


def test_corpus_that_is_not_there_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refresh", "--corpus", str(tmp_path)]) == 2
    assert "holds 0 HTML pages; at least 1000 are needed" in capsys.readouterr().err


def test_unknown_bench_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["nonsense"])
    told = capsys.readouterr().err
    assert "there is no bench 'nonsense'; there are refresh, retrieval" in told


def ndcg_of_sets() -> list[dict[str, float]]:
    """By ranking the nDCG@10 of each labelled set, as the document shows it."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("<!-- bench retrieval: begin -->")[2]
    rankings, *others = section.partition("<!-- bench retrieval: end -->")[0].split("| nDCG@10 of the configured")
    assert others
    tables = rankings.split("| ranking |")[1:]
    rows = [[line.strip("| ").split(" | ") for line in one.splitlines()[2:] if line.startswith("|")] for one in tables]
    return [{row[0]: float(row[3].strip("*")) for row in one} for one in rows]


def test_the_configured_fusion_finds_at_least_as_much_as_the_better_leg_in_every_labelled_set() -> None:
    fusion = local_environment("documentation").knowledge.fusion
    assert fusion.method == "min_max"
    configured = f"{retrieval.min_max_name(fusion.dense_weight)} (configured)"
    gains = ndcg_of_sets()
    assert len(gains) >= 2
    for gain in gains:
        assert gain[configured] >= max(gain[leg] for leg in LEGS)
