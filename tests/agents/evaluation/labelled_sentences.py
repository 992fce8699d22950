"""Sentences that a model may write over the corpus of these tests, and what is true of each: golden/verdicts.json."""

from tasks.golden.verdicts import read_verdicts

# They claim nothing, so that no judge need have an opinion of them.
EMPTY = (
    "Yes.",
    "The answer is no.",
    "The answer is: 3.",
    "The lifecycle has the following stages:",
    "Question: what stops a process?",
)
LABELLED: tuple[tuple[str, str], ...] = (
    *((each.label, each.statement) for each in read_verdicts().statements),
    *(("empty", sentence) for sentence in EMPTY),
)
