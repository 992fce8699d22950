"""Where an environment on AWS keeps its data, and how far back one can go."""

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from tasks.environment.section import NAME, Section

Client = Literal["agents", "langfuse", "litellm"]
# What the project builds: the assistant, the flows, and what Ray runs.
ImageName = Literal["agents", "flows", "ray"]
IMAGES: tuple[ImageName, ...] = get_args(ImageName)
Days = Annotated[int, Field(ge=1)]

SearchInstance = Annotated[
    str,
    Field(
        pattern=r"^[a-z]+[0-9]+g[a-z]*\.[0-9a-z]+\.search$",
        description='a Graviton (arm64) type, such as "m7g.large.search"',
    ),
]
DatabaseInstance = Annotated[
    str,
    Field(
        pattern=r"^db\.[a-z]+[0-9]+g[a-z]*\.[0-9a-z]+$",
        description='a Graviton (arm64) class, such as "db.t4g.micro"',
    ),
]
CacheNode = Annotated[
    str,
    Field(
        pattern=r"^cache\.[a-z]+[0-9]+g[a-z]*\.[0-9a-z]+$",
        description='a Graviton (arm64) type, such as "cache.t4g.micro"',
    ),
]
FREE_REGISTRIES = ("public.ecr.aws", "quay.io", "registry.k8s.io")


class Buckets(Section):
    """How many days replaced or deleted documents, and reports of evaluations (`result_days`), are kept."""

    noncurrent_days: Days
    result_days: Days


class ImageCache(Section):
    """A public registry whose images are cached; some want credentials, in a secret that a person made."""

    registry: Literal[
        "public.ecr.aws", "quay.io", "registry.k8s.io", "ghcr.io", "registry-1.docker.io", "registry.gitlab.com"
    ]
    credentials_secret: (
        Annotated[
            str,
            Field(
                pattern=r"^ecr-pullthroughcache/.+",
                description='the name of a secret that starts with "ecr-pullthroughcache/"',
            ),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        if (self.registry in FREE_REGISTRIES) != (self.credentials_secret is None):
            raise ValueError(
                f"registry = {self.registry!r}: {', '.join(FREE_REGISTRIES)} have no credentials_secret, "
                "every other needs one"
            )
        return self


class Images(Section):
    """Our image repositories, how many images each keeps, and the registries that are cached, by prefix."""

    repositories: tuple[ImageName, ...]
    kept: Annotated[int, Field(ge=1)]
    pull_through: dict[str, ImageCache]

    @model_validator(mode="after")
    def _names_are_right(self) -> Self:
        if len(set(self.repositories)) != len(self.repositories):
            raise ValueError(f"repositories has one more than once: {', '.join(self.repositories)}")
        missing = [name for name in IMAGES if name not in self.repositories]
        if missing:
            raise ValueError(
                f"repositories lacks {', '.join(missing)}: every image of the project needs one, {', '.join(IMAGES)}"
            )
        for prefix in self.pull_through:
            if not re.fullmatch(r"[a-z][a-z0-9-]{1,28}", prefix):
                raise ValueError(
                    f"pull_through has the prefix {prefix!r}; it must be 2 to 29 of a-z, 0-9 and -, "
                    "starting with a letter"
                )
        return self


class DedicatedMasters(Section):
    """Three nodes that only coordinate the search domain."""

    instance_type: SearchInstance


class Search(Section):
    """The OpenSearch domain: as many data nodes in each of three zones."""

    engine_version: Annotated[
        str,
        Field(pattern=r"^OpenSearch_[0-9]+\.[0-9]+$", description='a version of the service, such as "OpenSearch_3.3"'),
    ]
    instance_type: SearchInstance
    instance_count: Annotated[int, Field(ge=3)]
    volume_gib: Annotated[int, Field(ge=10, le=16384)]
    dedicated_masters: DedicatedMasters | None = None

    @model_validator(mode="after")
    def _as_many_in_every_zone(self) -> Self:
        if self.instance_count % 3:
            raise ValueError(f"instance_count = {self.instance_count} must be a multiple of 3: as many in each zone")
        return self


class Secret(Section):
    """A secret: whether a flow generates its value and renews it, or a person supplies it."""

    origin: Literal["generated", "person"]
    rotation_days: Days | None = None

    @model_validator(mode="after")
    def _only_generated_ones_rotate(self) -> Self:
        if self.origin == "person" and self.rotation_days is not None:
            raise ValueError(f"rotation_days = {self.rotation_days} needs origin = 'generated'; people supply theirs")
        return self


class Postgres(Section):
    """A PostgreSQL server of one client; its storage grows up to four times of `storage_gib`."""

    major_version: Annotated[
        str, Field(pattern=r"^1[5-9]$", description='a major version from 15 to 19 in quotes, such as "17"')
    ]
    instance_class: DatabaseInstance
    storage_gib: Annotated[int, Field(ge=20, le=16384)]
    multi_zone: bool


class Valkey(Section):
    """A Valkey cache of one client; more than one node replicates across zones."""

    engine_version: Annotated[str, Field(pattern=r"^[78]\.[0-9]$", description='a version in quotes, such as "8.0"')]
    node_type: CacheNode
    nodes: Annotated[int, Field(ge=1, le=6)]


class DatabaseDrill(Section):
    """What is promised of the agent service's database when it is lost; every drill restores it to prove that.

    At most the work of `point_minutes` is lost (RPO), and it answers again within `time_minutes` (RTO).
    """

    point_minutes: Annotated[int, Field(ge=1)] = 10
    time_minutes: Annotated[int, Field(ge=1)] = 60


class Backup(Section):
    """How many days back one can go to a second, and to a night; `start_hour` is in UTC."""

    point_in_time_days: Annotated[int, Field(ge=1, le=35)]
    snapshot_days: Days
    start_hour: Annotated[int, Field(ge=0, le=23)]
    database_drill: DatabaseDrill | None = None


class Data(Section):
    """Documents, indexes, images, secrets and the services' own data."""

    buckets: Buckets
    images: Images
    search: Search
    secrets: dict[str, Secret]
    postgres: dict[Client, Postgres]
    valkey: dict[Client, Valkey]
    backup: Backup | None = None

    @model_validator(mode="after")
    def _the_drilled_database_is_there(self) -> Self:
        if self.backup is not None and self.backup.database_drill is not None and "agents" not in self.postgres:
            raise ValueError(
                "backup.database_drill needs data.postgres.agents, which it restores; data.postgres has "
                f"{', '.join(sorted(self.postgres)) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _secret_names_are_right(self) -> Self:
        for name in self.secrets:
            if not re.fullmatch(NAME, name):
                raise ValueError(f"secrets has {name!r}; it must be a name of a-z, 0-9 and -, starting with a letter")
        return self
