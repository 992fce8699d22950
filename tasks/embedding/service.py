"""Embeddings on Ray Serve: llama.cpp in each replica, behind OpenAI's HTTP interface.

What a RayService of `infra/charts/models` runs; its replicas are the actors that Serve adds and removes.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.serve import Application

from tasks.aws_session import regional_client
from tasks.embedding.failures import EmbeddingFailed
from tasks.embedding.llama_embedder import LlamaEmbedder
from tasks.llama_cpp.bert_gguf import convert
from tasks.weights.load import fetch
from tasks.weights.manifest import WeightsRefused

MOST_INPUTS = 2048


class EmbeddingArguments(BaseModel):
    """Which model a replica serves, and where its weights lie; `context_tokens` is the longest input."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    bucket: str
    prefix: str
    context_tokens: int
    threads: int


class EmbeddingRequest(BaseModel):
    """https://platform.openai.com/docs/api-reference/embeddings/create, with what clients send beside it."""

    model: str
    input: str | list[str]
    encoding_format: str = "float"


api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@serve.deployment(name="Embedder")
@serve.ingress(api)  # pyright: ignore[reportUntypedClassDecorator]
class Embedder:
    """One replica: it loads the weights, converts them for llama.cpp, and embeds."""

    def __init__(self, arguments: EmbeddingArguments) -> None:
        self._arguments = arguments
        directory = Path(tempfile.mkdtemp(prefix="weights-"))
        s3 = regional_client("s3", os.environ["AWS_REGION"])
        if fetch(s3, arguments.bucket, arguments.prefix, directory) is None:
            raise WeightsRefused(f"s3://{arguments.bucket}/{arguments.prefix} has no manifest: run the flow models")
        file = directory / f"{arguments.model}.gguf"
        convert(directory, file, arguments.model)
        self._embedder = LlamaEmbedder(file, arguments.context_tokens, arguments.threads)

    @api.post("/v1/embeddings")
    def embed(self, request: EmbeddingRequest) -> dict[str, Any]:
        """The vectors of one or more inputs, in their order."""
        if request.model != self._arguments.model:
            raise HTTPException(404, f"there is no model {request.model!r} here, only {self._arguments.model!r}")
        if request.encoding_format != "float":
            raise HTTPException(400, f"encoding_format = {request.encoding_format!r}; allowed is 'float'")
        texts = [request.input] if isinstance(request.input, str) else request.input
        if not 0 < len(texts) <= MOST_INPUTS:
            raise HTTPException(400, f"input has {len(texts)} texts; allowed are 1 to {MOST_INPUTS}")
        try:
            vectors = self._embedder.embed(texts)
        except EmbeddingFailed as error:
            raise HTTPException(400, str(error)) from error
        data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(vectors)]
        # llama.cpp does not say here how many tokens it read.
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return {"object": "list", "model": request.model, "data": data, "usage": usage}

    @api.get("/v1/models")
    def models(self) -> dict[str, Any]:
        """The one model of this service."""
        return {"object": "list", "data": [{"id": self._arguments.model, "object": "model", "owned_by": "local"}]}


def build(arguments: EmbeddingArguments) -> Application:
    """The application, as Serve's configuration names it: https://docs.ray.io/en/latest/serve/production-guide/config.html."""
    return Embedder.bind(arguments)
