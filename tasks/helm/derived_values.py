"""The values that derive from the environment file and Terraform's outputs: the layer over a release's files."""

from collections.abc import Mapping

from tasks.environment import Environment
from tasks.helm.derivations import addons, agents, capacity, models
from tasks.helm.derivations.derivation import Derivation, Outputs

DERIVATIONS: Mapping[str, Derivation] = {
    **addons.DERIVATIONS,
    **capacity.DERIVATIONS,
    **models.DERIVATIONS,
    **agents.DERIVATIONS,
}


def derived_values(
    name: str, settings: Environment, outputs: Outputs, derivations: Mapping[str, Derivation] = DERIVATIONS
) -> Mapping[str, object]:
    """The derived layer of the release `name`; empty where the release has no function."""
    derivation = derivations.get(name)
    return derivation(settings, outputs) if derivation else {}


__all__ = ["DERIVATIONS", "Derivation", "Outputs", "derived_values"]
