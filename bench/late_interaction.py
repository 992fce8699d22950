"""Late interaction without a model of its own: passages scored by the token vectors of the embedding model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx
import numpy as np
import xllamacpp

from bench.embedding import log_to_file
from tasks.llama_cpp.server import ServerOptions, common_parameters
from tasks.refresh.ray_data import EmbeddingWork

ANSWERED_WITHIN_SECONDS = 60

TokenVectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class LateScores:
    """MaxSim (-1..1) of every passage of every question, and medians of what a question takes, in milliseconds.

    `kept` is with the passages' token vectors at hand, `computed` when they are made for the question.
    """

    scores: tuple[tuple[float, ...], ...]
    kept: float
    computed: float


def late_scores(work: EmbeddingWork, asked: Sequence[tuple[str, Sequence[str]]]) -> LateScores:
    """Score the passages of every question; meant for a process of its own, which the model leaves with it."""
    log_to_file()
    model = _TokenModel(work.model_file, work.context_tokens)
    passages: dict[str, tuple[TokenVectors, float]] = {}
    for text in (text for _, texts in asked for text in texts):
        if text not in passages:
            passages[text] = model.embed(text)
    scores: list[tuple[float, ...]] = []
    kept: list[float] = []
    computed: list[float] = []
    for question, texts in asked:
        began = perf_counter()
        of_question, _ = model.embed(question)
        scores.append(tuple(max_sim(of_question, passages[text][0]) for text in texts))
        kept.append(1000 * (perf_counter() - began))
        computed.append(kept[-1] + 1000 * sum(passages[text][1] for text in texts))
    return LateScores(tuple(scores), median(kept), median(computed))


def max_sim(question: TokenVectors, passage: TokenVectors) -> float:
    """The mean over the question's tokens of their highest cosine with a token of the passage.

    Both are unit-length vectors, tokens x dimension. Source: Khattab and Zaharia, "ColBERT", SIGIR 2020; the mean in
    place of the sum changes no order.
    """
    return float((question @ passage.T).max(axis=1).mean())


class _TokenModel:
    """The embedding model without its pooling."""

    def __init__(self, model_file: Path, context_tokens: int) -> None:
        options = ServerOptions(model_file, model_file.stem, "embedding", "127.0.0.1", 0, context_tokens, threads=1)
        parameters = common_parameters(options)
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
        self._server = xllamacpp.Server(parameters)

    def embed(self, text: str) -> tuple[TokenVectors, float]:
        """One unit-length vector a token, [CLS] and [SEP] included, and the seconds they took."""
        began = perf_counter()
        # OpenAI's interface has one vector a text; llama.cpp's own has all.
        url = f"{self._server.listening_address}/embeddings"
        answer = httpx.post(url, json={"content": [text]}, timeout=ANSWERED_WITHIN_SECONDS, trust_env=False)
        tokens = np.array(answer.raise_for_status().json()[0]["embedding"], dtype=np.float32)
        return tokens / np.linalg.norm(tokens, axis=1, keepdims=True), perf_counter() - began
