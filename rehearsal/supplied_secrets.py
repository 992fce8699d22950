"""The secrets that a person supplies, and those of services that no emulator has, in a rehearsal: any value."""

from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from tasks.environment import Environment
from tasks.secrets.inventory import STARTS_WITH, named_secrets


def supply_secrets(settings: Environment, aws: EmulatedAws) -> list[str]:
    """Give each secret that has none a value, as the person would whom provision's list asks; returns their names."""
    vault = client_of(aws, "secretsmanager")
    supplied: list[str] = []
    for named in named_secrets(settings):
        if not vault.describe_secret(SecretId=named.path).get("VersionIdsToStages"):
            vault.put_secret_value(SecretId=named.path, SecretString=f"{STARTS_WITH.get(named.name, '')}rehearsal")
            supplied.append(named.name)
    return supplied
