"""Reading a golden set: what is accepted, and that every refusal says file, line and key."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.golden.dataset import InvalidGoldenSet, golden_digest, read_golden_set

QUESTION: dict[str, Any] = {
    "id": "a01",
    "kind": "answerable",
    "question": "What is a generation?",
    "reference": "An immutable index.",
    "evidence": [{"document": "knowledge.md", "quote": "A generation is an immutable index"}],
}


def written(directory: Path, *lines: str) -> Path:
    path = directory / "questions.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_questions_are_read_in_order_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    second = QUESTION | {"id": "u01", "kind": "unanswerable", "evidence": []}
    first, other = read_golden_set(written(tmp_path, json.dumps(QUESTION), "", json.dumps(second)))
    assert (first.id, first.answerable, first.evidence[0].document) == ("a01", True, "knowledge.md")
    assert (other.id, other.answerable, other.evidence) == ("u01", False, ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "trick"}, r"line 2: kind: .*'answerable'.*got \"trick\""),
        ({"question": " "}, r"line 2: question: "),
        ({"answer": "x"}, r"line 2: answer: Extra inputs are not permitted"),
        ({"id": 7}, r"line 2: id: Input should be a valid string, got 7"),
        ({"evidence": []}, r"line 2: .*'answerable' needs evidence from at least 1"),
        ({"kind": "two_documents"}, r"needs evidence from at least 2"),
        ({"kind": "unanswerable"}, r"needs evidence from no document"),
        ({"evidence": [{"document": "knowledge.md"}]}, r"line 2: evidence.0.quote: Field required"),
    ],
)
def test_a_wrong_question_is_refused_with_file_line_and_key(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, json.dumps(QUESTION), json.dumps(QUESTION | {"id": "a02"} | change))
    with pytest.raises(InvalidGoldenSet, match=message) as refusal:
        read_golden_set(path)
    assert str(path) in str(refusal.value)


def test_an_id_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGoldenSet, match="'a01' occurs twice"):
        read_golden_set(written(tmp_path, json.dumps(QUESTION), json.dumps(QUESTION)))


def test_a_line_that_is_not_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGoldenSet, match=r"line 1: .*Invalid JSON"):
        read_golden_set(written(tmp_path, "{"))


def test_a_missing_an_empty_and_a_mis_encoded_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGoldenSet, match="does not exist"):
        read_golden_set(tmp_path / "none.jsonl")
    with pytest.raises(InvalidGoldenSet, match="holds no question"):
        read_golden_set(written(tmp_path, ""))
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b"\xe9")
    with pytest.raises(InvalidGoldenSet, match="not UTF-8"):
        read_golden_set(path)


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    before = golden_digest(written(tmp_path, json.dumps(QUESTION)))
    assert before == golden_digest(written(tmp_path, json.dumps(QUESTION)))
    assert before != golden_digest(written(tmp_path, json.dumps(QUESTION), ""))
