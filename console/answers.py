"""An answer of the assistant, as it is printed in a terminal."""

from pydantic import BaseModel
from rich.console import Console


class PrintedCitation(BaseModel):
    """Where a part of an answer comes from: `path` in its source, the headings above it, and its exact words."""

    number: int
    path: str
    heading_path: list[str]
    quote: str


class PrintedAnswer(BaseModel):
    """An answer, with the citations that its numbers in brackets refer to."""

    answer: str
    citations: list[PrintedCitation]


def print_answer(answer: PrintedAnswer, console: Console) -> None:
    """Print the answer, and one line per citation below it; a file or a pipe gets each in one line."""
    soft = not console.is_terminal
    console.print(answer.answer, markup=False, highlight=False, soft_wrap=soft)
    for citation in answer.citations:
        place = " > ".join((citation.path, *citation.heading_path))
        console.print(
            f'[{citation.number}] {place}: "{citation.quote}"',
            markup=False,
            highlight=False,
            style="dim",
            soft_wrap=soft,
        )
