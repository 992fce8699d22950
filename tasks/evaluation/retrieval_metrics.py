"""Whether a search found the evidence, and whether the service abstained rightly: pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import log2
from statistics import fmean

LEAST_SHARE_OF_QUOTE = 0.5


@dataclass(frozen=True)
class RankedPassage:
    """A retrieved passage: the path of its document within the source, and its text."""

    document: str
    text: str


def holds_quote(text: str, quote: str) -> bool:
    """Whether a passage holds the quote, or a run of at least half of it where a chunk boundary cuts the quote.

    Runs of white space count as one space, since line breaks are not part of what a document says.
    """
    passage, wanted = " ".join(text.split()), " ".join(quote.split())
    if wanted in passage:
        return True
    match = SequenceMatcher(None, passage, wanted, autojunk=False).find_longest_match()
    return match.size >= LEAST_SHARE_OF_QUOTE * len(wanted)


def evidence_ranks(passages: Sequence[RankedPassage], evidence: Iterable[tuple[str, str]]) -> tuple[int | None, ...]:
    """The rank (from 1) of the first passage that holds each quote; None where none does.

    `evidence` is pairs of document path and quote; `passages` are best first.
    """
    return tuple(
        next(
            (
                rank
                for rank, passage in enumerate(passages, start=1)
                if passage.document == document and holds_quote(passage.text, quote)
            ),
            None,
        )
        for document, quote in evidence
    )


def context_precision(passages: Sequence[RankedPassage], evidence: Sequence[tuple[str, str]]) -> float:
    """The mean, over the passages that hold evidence, of the share of such passages up to and with each (0..1).

    0 where none holds any. `passages` and `evidence` are as for `evidence_ranks`. The same as RAGAS's
    NonLLMContextPrecisionWithReference, which is no part of the image that refreshes run in.
    """
    holding = [
        rank
        for rank, passage in enumerate(passages, start=1)
        if any(passage.document == document and holds_quote(passage.text, quote) for document, quote in evidence)
    ]
    return fmean(count / rank for count, rank in enumerate(holding, start=1)) if holding else 0.0


def recall_at(ranks: Sequence[int | None], cutoff: int) -> float:
    """The share (0..1) of a question's relevant items that are among its first `cutoff` results.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval, chapter 8.

    Raises:
        ValueError: there are no relevant items, so that recall is undefined.
    """
    if not ranks:
        raise ValueError("recall is undefined for a question without evidence")
    return sum(rank is not None and rank <= cutoff for rank in ranks) / len(ranks)


def reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """1 divided by the rank of the first relevant result, 0 when there is none; its mean over questions is MRR.

    Source: Voorhees, The TREC-8 Question Answering Track Report, 1999.
    """
    found = [rank for rank in ranks if rank is not None]
    return 1 / min(found) if found else 0.0


def ndcg_at(ranks: Sequence[int | None], cutoff: int) -> float:
    """The discounted gain (0..1) of a question's relevant items among the first `cutoff` results, by the best possible.

    Relevance is binary, and items that one result holds together count at its rank each; more cannot be gained than
    by the best order of results with one item each. Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation
    of IR Techniques, TOIS 2002.

    Raises:
        ValueError: there are no relevant items, so that it is undefined.
    """
    if not ranks:
        raise ValueError("nDCG is undefined for a question without evidence")
    gained = sum(1 / log2(rank + 1) for rank in ranks if rank is not None and rank <= cutoff)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(ranks), cutoff) + 1))
    return min(1.0, gained / ideal)


def abstention_accuracy(decisions: Iterable[tuple[bool, bool]]) -> float:
    """Balanced accuracy (0..1) of abstaining: the mean of the rates at which both kinds of question are decided right.

    `decisions` is pairs (answerable, abstained), one a question. A service that always or never abstains scores 0.5
    whatever the mix. Source: Brodersen et al., The Balanced Accuracy and Its Posterior Distribution, ICPR 2010.

    Raises:
        ValueError: the questions are all of one kind, so that the other kind's rate is undefined.
    """
    right: dict[bool, list[bool]] = {True: [], False: []}
    for answerable, abstained in decisions:
        right[answerable].append(answerable != abstained)
    if not right[True] or not right[False]:
        raise ValueError("abstention accuracy needs both answerable and unanswerable questions")
    return (fmean(right[True]) + fmean(right[False])) / 2
