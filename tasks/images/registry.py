"""The project's repositories in ECR: what was pushed to them, and the list that makes one image of two."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.environment.data import ImageName
from tasks.images.architectures import Architecture
from tasks.resource_names import name_prefix

# What buildah pushes (with a health check, which OCI's own format has not), and the list of such images:
# https://distribution.github.io/distribution/spec/manifest-v2-2/
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


class RepositoryMissing(Exception):
    """ECR has no repository for an image; says what to do."""


class TagTaken(Exception):
    """A tag is another image's, and tags never change."""


@dataclass(frozen=True)
class StoredImage:
    """An image in the registry; `size` is what is stored of it, compressed, in bytes, and 0 for a list of images."""

    digest: str
    media_type: str
    size: int


@dataclass(frozen=True)
class Registry:
    """The repositories of one environment."""

    ecr: Any
    settings: Environment

    @classmethod
    def of(cls, settings: Environment) -> "Registry":
        """The registry of the environment's account and region.

        Raises:
            MissingCredentials: there are no credentials.
        """
        return cls(client("ecr", settings), settings)

    @property
    def host(self) -> str:
        """The registry's name, https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html."""
        place = self.settings.environment
        return f"{place.account_id}.dkr.ecr.{place.region}.amazonaws.com"

    def repository(self, image: ImageName) -> str:
        """The name of an image's repository, as infra/modules/data/images.tf gives it."""
        return f"{name_prefix(self.settings.name)}/{image}"

    def address(self, image: ImageName) -> str:
        """What stands before the tag or the digest of an image."""
        return f"{self.host}/{self.repository(image)}"

    def credentials(self) -> str:
        """`<user>:<password>` for twelve hours."""
        with explained_credentials():
            (answer,) = self.ecr.get_authorization_token()["authorizationData"]
        return base64.b64decode(answer["authorizationToken"]).decode()

    def find(self, image: ImageName, tag: str) -> StoredImage | None:
        """What a tag stands for; None where there is no such tag.

        Raises:
            RepositoryMissing: there is not even a repository.
        """
        try:
            with explained_credentials():
                answer = self.ecr.describe_images(repositoryName=self.repository(image), imageIds=[{"imageTag": tag}])
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == "ImageNotFoundException":
                return None
            if code == "RepositoryNotFoundException":
                raise self._no_repository(image) from error
            raise
        (found,) = answer["imageDetails"]
        return StoredImage(found["imageDigest"], found["imageManifestMediaType"], found.get("imageSizeInBytes", 0))

    def put_list(self, image: ImageName, tag: str, members: Mapping[Architecture, StoredImage]) -> str:
        """Make one image of those of each architecture, under `tag`, and return its digest; again is no change.

        Raises:
            TagTaken: the tag is that of something else.
        """
        entries = [
            {
                "mediaType": member.media_type,
                "size": self._manifest_size(image, member.digest),
                "digest": member.digest,
                "platform": {"architecture": architecture, "os": "linux"},
            }
            for architecture, member in sorted(members.items())
        ]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": LIST, "manifests": entries}, separators=(",", ":"))
        digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        present = self.find(image, tag)
        if present is not None:
            if present.digest != digest:
                raise TagTaken(
                    f"{self.address(image)}:{tag} is {present.digest}, and not the list of "
                    f"{', '.join(member.digest for member in members.values())}: delete that tag if nothing uses it"
                )
            return digest
        with explained_credentials():
            self.ecr.put_image(
                repositoryName=self.repository(image),
                imageManifest=manifest,
                imageManifestMediaType=LIST,
                imageTag=tag,
                imageDigest=digest,
            )
        return digest

    def _manifest_size(self, image: ImageName, digest: str) -> int:
        with explained_credentials():
            answer = self.ecr.batch_get_image(repositoryName=self.repository(image), imageIds=[{"imageDigest": digest}])
        (found,) = answer["images"]
        return len(found["imageManifest"].encode())

    def _no_repository(self, image: ImageName) -> RepositoryMissing:
        return RepositoryMissing(
            f"ECR of account {self.settings.environment.account_id} has no repository {self.repository(image)!r}: run "
            f"provision/{self.settings.name.value} first"
        )
