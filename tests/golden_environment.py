"""A laptop's environment with documents and golden questions of a test's own."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local_environment import write_local_environment

MAIL = """\
# Mail

Mail is sent in batches.

## When is mail sent?

Mail is sent every hour, and at once when it is urgent.

## Who may send mail?

Only members may send mail.
"""
PRINT = "# Printing\n\n## How do I print?\n\nPress the green button to print. Paper is in the drawer.\n"


def question(identity: str, text: str, document: str, quote: str, **more: Any) -> dict[str, Any]:
    """One line of a golden set, or of proposals with a `decision`."""
    evidence = [{"document": document, "quote": quote}]
    return {"id": identity, "kind": "answerable", "question": text, "reference": "So.", "evidence": evidence, **more}


ASKED = question("a07", "When is mail sent?", "mail.md", "Mail is sent every hour")


@dataclass(frozen=True)
class GoldenEnvironment:
    """Where the variable file, the documents, the questions and the data directory lie."""

    root: Path

    @property
    def variable_files(self) -> Path:
        return self.root / "environments"

    @property
    def dataset(self) -> Path:
        return self.root / "golden" / "questions.jsonl"

    @property
    def proposals(self) -> Path:
        return self.root / "golden" / "proposals.jsonl"

    @property
    def data_directory(self) -> Path:
        return self.root / "state"

    def read(self, file: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def write(self, file: Path, *entries: Mapping[str, Any]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")


def golden_environment(root: Path) -> GoldenEnvironment:
    """Write a laptop's file below `root`, two documents, and one question about the first."""
    made = GoldenEnvironment(root)
    file = write_local_environment(made.variable_files, made.data_directory) / "local.tfvars"
    text = file.read_text(encoding="utf-8")
    text = re.sub(r'uri\s*=\s*"file://docs"', f'uri = "file://{root / "documents"}"', text)
    text = re.sub(r'(dataset\s*=\s*)"[^"]*"', rf'\1"{made.dataset}"', text)
    file.write_text(text, encoding="utf-8")
    (root / "documents").mkdir()
    for name, content in (("mail.md", MAIL), ("print.md", PRINT)):
        (root / "documents" / name).write_text(content, encoding="utf-8")
    made.write(made.dataset, ASKED)
    return made
