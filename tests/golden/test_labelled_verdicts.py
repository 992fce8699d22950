"""The statements by which a judge is judged: enough of either kind, and about the passages that they stand beside."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tasks.golden.verdicts import InvalidVerdicts, read_verdicts
from tests.agents.corpus_generation import corpus_chunks

VERDICTS = read_verdicts()


def test_both_kinds_are_there_and_no_statement_twice() -> None:
    kinds = Counter(each.supported for each in VERDICTS.statements)
    assert min(kinds[True], kinds[False]) >= 25
    assert len({each.statement for each in VERDICTS.statements}) == len(VERDICTS.statements)


def test_the_passages_are_those_that_the_check_without_a_judge_is_tried_with() -> None:
    assert VERDICTS.passages == [chunk.text for chunk in corpus_chunks()]


@pytest.mark.parametrize(
    ("supported", "not_supported", "enough"),
    [(1, 1, False), (15, 14, False), (30, 9, False), (9, 30, False), (20, 10, True)],
)
def test_so_few_statements_that_a_judge_agrees_by_luck_are_refused(
    supported: int, not_supported: int, enough: bool, tmp_path: Path
) -> None:
    labels = ["supported"] * supported + ["invented"] * not_supported
    statements = [{"statement": f"Statement {place}.", "label": label} for place, label in enumerate(labels)]
    file = tmp_path / "verdicts.json"
    file.write_text(json.dumps({"passages": ["a"], "statements": statements}), encoding="utf-8")
    if enough:
        assert len(read_verdicts(file).statements) == len(labels)
        return
    with pytest.raises(InvalidVerdicts, match=f"{supported} that are supported and {not_supported} that are not"):
        read_verdicts(file)


@pytest.mark.parametrize(
    ("text", "why"), [(None, "cannot be read"), ('{"passages": ["a"], "statements": []}', "refused")]
)
def test_a_file_that_is_not_what_it_should_be_is_refused(text: str | None, why: str, tmp_path: Path) -> None:
    file = tmp_path / "verdicts.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidVerdicts, match=why):
        read_verdicts(file)
