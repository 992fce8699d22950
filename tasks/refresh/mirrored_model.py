"""The embedding model of a refresh on a Ray cluster, from its mirror in S3.

As a command it brings the model to a worker before Ray starts there, in the form that llama.cpp reads:
`python -m tasks.refresh.mirrored_model '<a MirroredModel as JSON>' <directory>`.
"""

import sys
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from agents.knowledge.generation import EmbeddingIdentity
from tasks.llama_cpp.model_files import ModelUnavailable
from tasks.refresh.stored_objects import s3_client
from tasks.weights.load import fetch
from tasks.weights.manifest import Manifest, read_manifest

MODEL_FILE = "model.gguf"
TOKENIZER_FILE = "tokenizer.json"


class MirroredModel(BaseModel):
    """A model of the catalogue, and the directory of the bucket in which its weights are mirrored."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str
    dimension: Annotated[int, Field(ge=1)]
    bucket: str
    prefix: str


def mirrored_identity(model: MirroredModel) -> EmbeddingIdentity:
    """What a generation says of the model that made its vectors: the fingerprint is that of all mirrored files.

    Raises:
        ModelUnavailable: it is not mirrored.
        ClientError, BotoCoreError: S3 refuses, or does not answer.
    """
    manifest = _mirrored(model, read_manifest(s3_client(), model.bucket, model.prefix))
    return EmbeddingIdentity(model=model.name, fingerprint=manifest.sha256, dimension=model.dimension)


def fetch_model(model: MirroredModel, directory: Path) -> None:
    """Have `model.gguf` and `tokenizer.json` in `directory`.

    Raises:
        ModelUnavailable: the model is not mirrored.
        WeightsRefused: a file has another hash than the mirror's manifest says.
        ClientError, BotoCoreError: S3 refuses, or does not answer.
    """
    # Its libraries are needed by this command alone.
    from tasks.llama_cpp.bert_gguf import convert

    _mirrored(model, fetch(s3_client(), model.bucket, model.prefix, directory))
    convert(directory, directory / MODEL_FILE, model.name)


def _mirrored(model: MirroredModel, manifest: Manifest | None) -> Manifest:
    if manifest is None:
        raise ModelUnavailable(
            f"the embedding model {model.name!r} is not mirrored: there is no manifest in "
            f"s3://{model.bucket}/{model.prefix}; run the models stage"
        )
    return manifest


if __name__ == "__main__":
    fetch_model(MirroredModel.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
