"""The values that derive from the environment file and Terraform's outputs: the layer over a release's files."""

from collections.abc import Mapping
from typing import Any, NoReturn

from tasks.environment import Environment
from tasks.environment_outputs import OutputsMissing
from tasks.helm.derivations import addons, agents, capacity, langfuse, models, prefect
from tasks.helm.derivations.derivation import Derivation, Outputs

DERIVATIONS: Mapping[str, Derivation] = {
    **addons.DERIVATIONS,
    **capacity.DERIVATIONS,
    **langfuse.DERIVATIONS,
    **prefect.DERIVATIONS,
    **models.DERIVATIONS,
    **agents.DERIVATIONS,
}


def derived_values(
    name: str, settings: Environment, outputs: Outputs, derivations: Mapping[str, Derivation] = DERIVATIONS
) -> Mapping[str, object]:
    """The derived layer of the release `name`; empty where the release has no function.

    Raises:
        OutputsMissing: it derives from an output that Terraform does not have.
    """
    derivation = derivations.get(name)
    return derivation(settings, _Present(outputs, name, settings)) if derivation else {}


class _Present(dict[str, Any]):
    """Outputs of which one that is not there is an error that says what to do."""

    def __init__(self, outputs: Outputs, release: str, settings: Environment):
        super().__init__(outputs)
        self._release, self._environment = release, settings.name.value

    def __missing__(self, output: str) -> NoReturn:
        raise OutputsMissing(
            f"the values of the release {self._release!r} derive from Terraform's output {output!r}, which is not "
            f"there: run provision/{self._environment}, which makes what the environment file asks for"
        )


__all__ = ["DERIVATIONS", "Derivation", "Outputs", "derived_values"]
