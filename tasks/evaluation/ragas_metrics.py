"""The RAGAS metrics that need no judge model.

Importing this module imports RAGAS, which takes seconds and hundreds of megabytes: import it where the scores are
needed. The scoring methods are called without RAGAS's wrapper around them, which notes a usage event and writes an
identity into the home directory; its tracking is switched off besides.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import openai
from ragas.dataset_schema import SingleTurnSample
from ragas.embeddings.base import BaseRagasEmbedding
from ragas.metrics._context_precision import NonLLMContextPrecisionWithReference
from ragas.metrics._context_recall import NonLLMContextRecall
from ragas.metrics.base import SingleTurnMetric
from ragas.metrics.collections import RougeScore, SemanticSimilarity
from rapidfuzz import fuzz

QUOTE_SIMILARITY = 0.9
"""From this similarity on, a passage counts as holding a quote; unrelated English text reaches about 0.5."""

Embed = Callable[[str], Sequence[float]]


@dataclass(frozen=True)
class Contexts:
    """What was retrieved for one question (best first), and the evidence quotes that it should hold."""

    retrieved: tuple[str, ...]
    reference: tuple[str, ...]


@dataclass(frozen=True)
class ContextScores:
    """Context precision (mean precision at the ranks that hold evidence) and context recall of a question, 0..1."""

    precision: float
    recall: float


@dataclass(frozen=True)
class AnswerScores:
    """Cosine of the embeddings (-1..1) and ROUGE-L F-measure (0..1) of an answer against its reference.

    `similarity` is None where `uncompared` says why a text got no vector.
    """

    similarity: float | None
    rouge_l: float
    uncompared: str | None = None


def score_contexts(contexts: Sequence[Contexts]) -> list[ContextScores]:
    """NonLLMContextPrecisionWithReference and NonLLMContextRecall of RAGAS for each question.

    RAGAS compares whole texts by edit distance, by which a passage of 200 words never resembles a quote of 20. It
    takes another measure of distance: here the similarity of the best-aligned substring (`partial_ratio`), so that a
    passage that holds the quote scores 1. Where nothing was retrieved, which RAGAS does not foresee, both are 0.
    Source: RAGAS 0.4.3, "Context Precision" and "Context Recall", non-LLM based.

    Raises:
        ValueError: a question has no evidence, which leaves both undefined.
    """
    for context in contexts:
        if not context.reference:
            raise ValueError(f"context metrics need evidence, got {context!r}")
    _switch_tracking_off()
    return asyncio.run(_score_contexts(contexts))


def score_answers(answers: Sequence[tuple[str, str]], embed: Embed) -> list[AnswerScores]:
    """SemanticSimilarity and RougeScore of RAGAS for pairs of answer and reference; `embed` makes a text's vector.

    An answer for which the gateway makes no vector misses its similarity, and the others do not.
    Source: RAGAS 0.4.3, "Semantic Similarity" and "ROUGE Score" (Lin, ROUGE, 2004).
    """
    _switch_tracking_off()
    return asyncio.run(_score_answers(answers, embed))


async def _score_contexts(contexts: Sequence[Contexts]) -> list[ContextScores]:
    precision, recall = _Precision(), _Recall()
    scores: list[ContextScores] = []
    for context in contexts:
        if not context.retrieved:
            scores.append(ContextScores(0.0, 0.0))
            continue
        sample = SingleTurnSample(
            retrieved_contexts=list(context.retrieved), reference_contexts=list(context.reference)
        )
        scores.append(ContextScores(await precision.score(sample), await recall.score(sample)))
    return scores


async def _score_answers(answers: Sequence[tuple[str, str]], embed: Embed) -> list[AnswerScores]:
    similarity, rouge = SemanticSimilarity(RagasEmbedding(embed)), RougeScore(rouge_type="rougeL", mode="fmeasure")
    scores: list[AnswerScores] = []
    for answer, reference in answers:
        overlap = float((await rouge.ascore(reference=reference, response=answer)).value)
        try:
            cosine = await similarity.ascore(reference=reference, response=answer)
        except openai.OpenAIError as error:
            scores.append(AnswerScores(None, overlap, unanswered(error)))
        else:
            scores.append(AnswerScores(float(cosine.value), overlap))
    return scores


def unanswered(error: openai.OpenAIError) -> str:
    """Why the gateway gave nothing, without the body of a refusal, in which it may quote the key that it refused."""
    if isinstance(error, openai.APIStatusError):
        return f"the gateway refused with status {error.status_code}"
    return f"the gateway gave no answer ({type(error).__name__})"


def _switch_tracking_off() -> None:
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"


@dataclass
class _HeldQuote(SingleTurnMetric):
    """How well the best-aligned part of a passage (reference) agrees with a quote (response), 0..1."""

    name: str = "held_quote"

    def init(self, run_config: object) -> None: ...

    async def single_turn_ascore(self, sample: SingleTurnSample, callbacks: Any = None, timeout: Any = None) -> float:
        passage, quote = (" ".join((text or "").split()) for text in (sample.reference, sample.response))
        # A passage shorter than the quote would otherwise count as held when the quote holds it.
        if len(passage) < QUOTE_SIMILARITY * len(quote):
            return 0.0
        return fuzz.partial_ratio(quote, passage) / 100

    async def _single_turn_ascore(self, sample: SingleTurnSample, callbacks: Any) -> float:
        return await self.single_turn_ascore(sample)


@dataclass
class _Precision(NonLLMContextPrecisionWithReference):
    distance_measure: SingleTurnMetric = field(default_factory=_HeldQuote)
    threshold: float = QUOTE_SIMILARITY

    async def score(self, sample: SingleTurnSample) -> float:
        return float(await self._single_turn_ascore(sample, []))


@dataclass
class _Recall(NonLLMContextRecall):
    _distance_measure: SingleTurnMetric = field(default_factory=_HeldQuote)
    threshold: float = QUOTE_SIMILARITY

    async def score(self, sample: SingleTurnSample) -> float:
        return float(await self._single_turn_ascore(sample, []))


class RagasEmbedding(BaseRagasEmbedding):
    """What RAGAS calls an embedding, around a function."""

    def __init__(self, embed: Embed) -> None:
        super().__init__()
        self._embed = embed

    def embed_text(self, text: str, **_: Any) -> list[float]:
        """The vector of `text`."""
        return list(self._embed(text))

    async def aembed_text(self, text: str, **_: Any) -> list[float]:
        """The same, for those who ask without waiting."""
        return self.embed_text(text)
