"""CSV and JSON Lines: a record is a block of `name: value` lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from agents.knowledge.documents import DocumentRef, DocumentUnreadable, ParsedDocument
from agents.knowledge.parsing.builder import TextBuilder
from agents.knowledge.parsing.content import decode, well_formed

# One cell may hold as much as a whole document.
_LARGEST_CELL = 2**31 - 1


def parse_csv(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """Read comma-, semicolon- or tab-separated values whose first row names the columns.

    Raises DocumentUnreadable with the line number when quoting is broken or a row has more cells than the header.
    """
    text = decode(ref.uri, content)
    csv.field_size_limit(_LARGEST_CELL)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    builder = TextBuilder()
    try:
        header = [name.strip() for name in next(rows, [])]
        for row in rows:
            if len(row) > len(header):
                reason = f"line {rows.line_num} has {len(row)} cells, the header has {len(header)}"
                raise DocumentUnreadable(ref.uri, reason)
            builder.block(_lines(zip(header, row, strict=False)))
    except csv.Error as error:
        raise DocumentUnreadable(ref.uri, f"line {rows.line_num} is not CSV: {error}") from error
    text, sections = builder.finish()
    return ParsedDocument(title="", media_type="text/csv", text=text, sections=sections)


def parse_json_lines(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """Read one JSON value a line. An object's `title` becomes a heading and its `text` the text below it.

    Other fields become `name: value` lines, nested names joined by dots. Raises DocumentUnreadable with the
    number of the first line that is not JSON.
    """
    builder = TextBuilder()
    for number, line in enumerate(decode(ref.uri, content).split("\n"), start=1):
        if line.strip():
            try:
                record: object = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DocumentUnreadable(ref.uri, f"line {number} is not JSON: {error}") from error
            _write_record(record, builder)
    text, sections = builder.finish()
    return ParsedDocument(title="", media_type="application/jsonl", text=text, sections=sections)


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _write_record(record: object, builder: TextBuilder) -> None:
    fields = {name: well_formed(value) for name, value in _fields(record, "") if value.strip()}
    title, body = fields.pop("title", ""), fields.pop("text", "")
    if title:
        builder.heading(1, " ".join(title.split()))
    builder.block(_lines(fields.items()))
    builder.block(body)


def _fields(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Every scalar below a JSON value with its dotted name; a value that is no object is `text`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        yield name or "text", ", ".join(text for inner in value for _, text in _fields(inner, ""))
    elif value is not None:
        yield name or "text", value if isinstance(value, str) else json.dumps(value)


def _lines(fields: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {' '.join(value.split())}" for name, value in fields if value.strip())
