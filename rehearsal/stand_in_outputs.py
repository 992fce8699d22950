"""The outputs of what no emulator creates, in a rehearsal: addresses at which nothing answers."""

from collections.abc import Mapping
from typing import Any

from tasks.environment import Environment
from tasks.environment_outputs import EnvironmentOutputs, block_name, load_outputs
from tasks.resource_names import name_prefix

# Reserved for this by RFC 6761: no name below it ever leads anywhere.
NOWHERE = "rehearsal.invalid"


def complete_outputs(settings: Environment) -> list[str]:
    """Add to the environment's block what Terraform would say of resources that were left out; returns the names."""
    outputs = load_outputs(settings.name)
    missing = {name: value for name, value in _stand_ins(settings).items() if not outputs.get(name)}
    if missing:
        EnvironmentOutputs(values={**outputs, **missing}).save(block_name(settings.name), overwrite=True)
    return sorted(missing)


def _stand_ins(settings: Environment) -> Mapping[str, Any]:
    assert settings.data is not None  # noqa: S101 - the model guarantees it on AWS
    prefix = name_prefix(settings.name)
    caches = {
        client: {"host": f"{client}.{NOWHERE}", "port": 6379, "user": f"{prefix}-{client}"}
        for client in settings.data.valkey
    }
    grafana = {"workspace_id": "g-0000000000", "url": f"https://grafana.{NOWHERE}", "service_account_id": "1"}
    search = {
        "domain": prefix,
        "arn": f"arn:aws:es:{settings.environment.region}:{settings.environment.account_id}:domain/{prefix}",
        "endpoint": f"https://search.{NOWHERE}",
        "administrator_role_arn": f"arn:aws:iam::{settings.environment.account_id}:role/{prefix}-search-administrator",
        "snapshot_role_arn": None,
    }
    return {"grafana": grafana, "search": search, **({"valkey": caches} if caches else {})}
