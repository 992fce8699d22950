"""The derived values of the release of access: the roles' groups and namespaces, and who has which addresses."""

from collections.abc import Mapping

from tasks.environment import Environment
from tasks.helm.derivations.derivation import Derivation, Outputs

TIERS = ("public", "private", "intra")


def access(settings: Environment, outputs: Outputs) -> Mapping[str, object]:
    """The values of `infra/charts/access`.

    Raises:
        ValueError: the environment has no network.
    """
    if settings.network is None:
        raise ValueError(f"environment.name = {settings.name.value!r}: access is for environments on AWS only")
    entries = outputs["identity"]["access_entries"]
    zones = settings.network.zones
    return {
        "roles": {
            name: {"group": entry["group"], "namespaces": list(entry["namespaces"])} for name, entry in entries.items()
        },
        "subnets": {tier: [getattr(zones[zone], tier) for zone in sorted(zones)] for tier in TIERS},
    }


DERIVATIONS: Mapping[str, Derivation] = {"access": access}
