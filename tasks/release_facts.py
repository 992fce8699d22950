"""What releases derive from beside the environment file: Terraform's outputs, our images, the mirrored model."""

from collections.abc import Mapping
from typing import Any

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.environment.data import ImageName
from tasks.environment_outputs import OutputsMissing
from tasks.helm.derivations.agents import EMBEDDING_FINGERPRINT, FORMER_EMBEDDING_FINGERPRINT
from tasks.helm.derivations.derivation import Outputs
from tasks.released_images import ImagesMissing, load_images
from tasks.weights.manifest import read_manifest
from tasks.weights.places import weights_prefix


def release_facts(settings: Environment, outputs: Mapping[str, Any]) -> Outputs:
    """The outputs with what was published and mirrored since.

    Raises:
        OutputsMissing: the environment was provisioned without its buckets.
        MissingCredentials: there are none for AWS.
        ClientError: the bucket of the models cannot be read.
    """
    facts = {**outputs, "images": known_images(settings)}
    facts[EMBEDDING_FINGERPRINT] = _mirrored(settings, outputs, settings.models.embedding)
    if settings.models.former_embedding is not None:
        facts[FORMER_EMBEDDING_FINGERPRINT] = _mirrored(settings, outputs, settings.models.former_embedding)
    return facts


def known_images(settings: Environment) -> Mapping[ImageName, str]:
    """The images that were released for the environment, by name; empty where none was yet."""
    try:
        return load_images(settings.name)
    except ImagesMissing:
        # A stage whose releases run none of our images needs none; `require_image` refuses one that does.
        return {}


def _mirrored(settings: Environment, outputs: Mapping[str, Any], name: str) -> str | None:
    """The SHA-256 of an embedding model's mirrored files, None while they are not mirrored."""
    prefix = weights_prefix(name, settings.models.catalogue[name])
    if "data" not in outputs:
        raise OutputsMissing(
            f"Terraform's output 'data' of {settings.name.value!r}, which names the models' bucket, is not there: "
            f"run provision/{settings.name.value}, which makes what the environment file asks for"
        )
    bucket = str(outputs["data"]["buckets"]["models"]["name"])
    with explained_credentials():
        manifest = read_manifest(client("s3", settings), bucket, prefix)
    return None if manifest is None else manifest.sha256
