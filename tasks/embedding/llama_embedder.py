"""The embedding model inside this process, as each Ray actor of a refresh runs it."""

import json
from collections.abc import Sequence
from pathlib import Path

import xllamacpp

from tasks.embedding.failures import EmbeddingFailed, Refused
from tasks.llama_cpp.server import ServerOptions, common_parameters

# A text that a working model never refuses: it tells a text that cannot be embedded from a model that cannot embed.
PROBE = "apple"
CHARACTERS_SHOWN = 60


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

    def embed_or_refuse(self, texts: Sequence[str]) -> list[list[float] | Refused]:
        """The same, with the reason in the place of the vector of each text that the model refuses.

        Raises:
            EmbeddingFailed: not the texts are to blame but the model, which fails at a short word, too.
        """
        try:
            return list(self.embed(texts))
        except EmbeddingFailed:
            return [self._embed_or_refuse(text) for text in texts]

    def _embed_or_refuse(self, text: str) -> list[float] | Refused:
        try:
            (vector,) = self.embed([text])
        except EmbeddingFailed as error:
            self.embed([PROBE])
            shown = " ".join(text.split())[:CHARACTERS_SHOWN]
            return Refused(f"the embedding model takes all but its passage that begins with {shown!r}: {error}")
        return vector
