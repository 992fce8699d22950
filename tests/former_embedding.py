"""A variable file whose embedding model was another one before: the same weights under a second name."""

import re
from pathlib import Path

MODEL = "all-minilm-l6-v2"
OLD = "minilm-before"


def name_former_embedding(file: Path, role: str = f'former_embedding = "{OLD}"') -> None:
    """Put the embedding model into the catalogue a second time, called OLD, and `role` beside `models.embedding`."""
    text = file.read_text(encoding="utf-8")
    entry = re.search(rf"\n    {MODEL} = \{{.*?\n    \}}", text, re.DOTALL)
    assert entry is not None
    text = text.replace(entry[0], entry[0] + entry[0].replace(MODEL, OLD, 1), 1)
    text, count = re.subn(rf'\n(  embedding\s*= "{MODEL}")', rf"\n\1\n  {role}", text, count=1)
    assert count == 1
    file.write_text(text, encoding="utf-8")
