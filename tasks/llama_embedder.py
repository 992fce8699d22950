"""The embedding model inside this process, as each Ray actor of a refresh runs it."""

import json
from collections.abc import Sequence
from pathlib import Path

import xllamacpp

from tasks.llama_server import ServerOptions, common_parameters


class EmbeddingFailed(Exception):
    """llama.cpp refused an input; carries its own words."""


class LlamaEmbedder:
    """Embeds text with the same parameters as the embedding server, so that vectors agree."""

    def __init__(self, model_file: Path, context_tokens: int, threads: int) -> None:
        options = ServerOptions(model_file, model_file.stem, "embedding", "127.0.0.1", 0, context_tokens, threads)
        self._server = xllamacpp.Server(common_parameters(options))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit-length vectors, one for each text, in the same order.

        Raises:
            EmbeddingFailed: an input is longer than the context, or the model failed.
        """
        answer = self._server.handle_embeddings({"input": list(texts)})
        # An input that is too long comes back as an answer, not as an exception.
        if "error" in answer:
            raise EmbeddingFailed(f"llama.cpp refused one of {len(texts)} inputs: {json.dumps(answer['error'])}")
        return [item["embedding"] for item in sorted(answer["data"], key=lambda item: item["index"])]
