"""The derived values of Langfuse in the cluster and of the database that it keeps traces in.

The variables are in https://langfuse.com/self-hosting/configuration.
"""

from collections.abc import Mapping
from typing import Any

from tasks.environment import Environment
from tasks.environment.addons import (
    CLICKHOUSE_PASSWORD,
    ENCRYPTION_KEY,
    LANGFUSE_KEY,
    OWNER_PASSWORD,
    SALT,
    SESSION_SECRET,
    VALKEY_PASSWORD,
    SelfHostedLangfuse,
)
from tasks.helm.derivations.derivation import Derivation, Outputs
from tasks.helm.derivations.image_cache import cached_image
from tasks.langfuse.destination import NAMESPACE, langfuse_project
from tasks.resource_names import name_prefix

Values = Mapping[str, object]

CLIENT = "langfuse"
# The Kubernetes secret that External Secrets makes of all that Langfuse is given.
SECRET = "langfuse"  # noqa: S105 - a name
OWNER = "owner@langfuse.internal"
DATABASE_PASSWORD = "database-password"  # noqa: S105 - a name
# RDS renews its password, and a container that starts reads what is current.
REFRESHED_EVERY = "5m"


def clickhouse(settings: Environment, outputs: Outputs) -> Values:
    """The values of `infra/charts/clickhouse`."""
    asked = _self_hosted(settings).clickhouse
    return {
        "image": {"repository": cached_image(outputs, "docker.io/clickhouse/clickhouse-server")},
        "region": settings.environment.region,
        "replicas": asked.replicas,
        "volumeGib": asked.volume_gib,
        "password": f"{name_prefix(settings.name)}/{CLICKHOUSE_PASSWORD}",
    }


def langfuse(settings: Environment, outputs: Outputs) -> Values:
    """Where its stores are, its secrets, and the project that it makes at its first start."""
    cache, server = outputs["valkey"][CLIENT], outputs["data"]["postgres"][CLIENT]
    return {
        "langfuse": {
            "replicas": 2 if _self_hosted(settings).clickhouse.replicas > 1 else 1,
            "salt": _reference(SALT),
            "encryptionKey": _reference(ENCRYPTION_KEY),
            "nextauth": {"secret": _reference(SESSION_SECRET)},
            "additionalEnv": [_from_secret("DATABASE_URL", "database-url")],
            "web": {
                "image": {"repository": cached_image(outputs, "docker.io/langfuse/langfuse")},
                "pod": {"additionalEnv": _first_project(settings)},
            },
            "worker": {"image": {"repository": cached_image(outputs, "docker.io/langfuse/langfuse-worker")}},
        },
        "redis": {
            "host": cache["host"],
            "port": cache["port"],
            "auth": {
                "username": cache["user"],
                "existingSecret": SECRET,
                "existingSecretPasswordKey": VALKEY_PASSWORD,
            },
        },
        "s3": {
            "bucket": outputs["data"]["buckets"][CLIENT]["name"],
            "region": settings.environment.region,
        },
        "extraManifests": [_external_secret(settings, server)],
    }


def _first_project(settings: Environment) -> list[Values]:
    """Headless initialisation: the project that traces are written to, and who may look at them."""
    project, prefix = langfuse_project(settings), name_prefix(settings.name)
    assert project is not None  # noqa: S101 - this environment has a Langfuse
    plain = {
        "ORG_ID": prefix,
        "ORG_NAME": prefix,
        "PROJECT_ID": prefix,
        "PROJECT_NAME": prefix,
        "PROJECT_PUBLIC_KEY": project.public_key,
        "USER_EMAIL": OWNER,
        "USER_NAME": "Owner",
    }
    return [
        *({"name": f"LANGFUSE_INIT_{name}", "value": value} for name, value in plain.items()),
        _from_secret("LANGFUSE_INIT_PROJECT_SECRET_KEY", LANGFUSE_KEY),
        _from_secret("LANGFUSE_INIT_USER_PASSWORD", OWNER_PASSWORD),
    ]


def _external_secret(settings: Environment, server: Mapping[str, Any]) -> Values:
    """All that Langfuse is given, out of Secrets Manager. ClickHouse's password is in the secret of its own release."""
    given = (ENCRYPTION_KEY, LANGFUSE_KEY, OWNER_PASSWORD, SALT, SESSION_SECRET, VALKEY_PASSWORD)
    place = f"{server['host']}:{server['port']}/{server['database']}?sslmode=require"
    # RDS puts signs into a password that mean something in an address.
    address = f'postgresql://{server["user"]}:{{{{ index . "{DATABASE_PASSWORD}" | urlquery }}}}@{place}'
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "spec": {
            "refreshInterval": REFRESHED_EVERY,
            "secretStoreRef": {"kind": "SecretStore", "name": "secrets-manager"},
            "target": {
                "name": SECRET,
                "template": {"engineVersion": "v2", "mergePolicy": "Merge", "data": {"database-url": address}},
            },
            "data": [
                *({"secretKey": name, "remoteRef": {"key": f"{name_prefix(settings.name)}/{name}"}} for name in given),
                {
                    "secretKey": DATABASE_PASSWORD,
                    "remoteRef": {"key": server["secret_arn"], "property": "password"},
                },
            ],
        },
    }


def _reference(key: str) -> Values:
    return {"secretKeyRef": {"name": SECRET, "key": key}}


def _from_secret(variable: str, key: str) -> Values:
    return {"name": variable, "valueFrom": _reference(key)}


def _self_hosted(settings: Environment) -> SelfHostedLangfuse:
    assert settings.addons is not None  # noqa: S101 - the release is there only where the section asks for it
    assert isinstance(settings.addons.langfuse, SelfHostedLangfuse)  # noqa: S101
    return settings.addons.langfuse


DERIVATIONS: Mapping[str, Derivation] = {"clickhouse": clickhouse, "langfuse": langfuse}
