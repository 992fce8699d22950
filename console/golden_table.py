"""What golden questions cover, as it is printed in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tasks.golden.coverage import KINDS, coverage, not_held
from tasks.golden.dataset import GoldenQuestion
from tasks.golden.documents import GoldenDocuments


def print_coverage(documents: GoldenDocuments, questions: Sequence[GoldenQuestion], console: Console) -> None:
    """Print one row per document, then how many questions have no document, and the evidence that does not hold."""
    table = Table(box=None, pad_edge=False)
    for column in ("document", *KINDS, "sections", "share"):
        table.add_column(column, justify="left" if column == "document" else "right", no_wrap=True)
    for row in coverage(documents, questions):
        counts = [str(row.questions[kind]) for kind in KINDS]
        table.add_row(row.path, *counts, f"{row.covered} of {row.sections}", f"{row.share:.0%}")
    console.print(table, markup=False, highlight=False, soft_wrap=not console.is_terminal)
    unanswerable = sum(not question.answerable for question in questions)
    console.print(f"{len(questions)} questions, {unanswerable} of them unanswerable", highlight=False)
    for problem in not_held(documents, questions):
        console.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)
