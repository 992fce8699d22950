"""The values that derive from the environment file and Terraform's outputs: one function a release.

A function takes the environment and the outputs of its Terraform root by name, and returns the layer that is put over
the release's files. It reads typed fields and returns plain values: nothing is put into text.
"""

from collections.abc import Callable, Mapping

from tasks.environment import Environment

Outputs = Mapping[str, object]
Derivation = Callable[[Environment, Outputs], Mapping[str, object]]

DERIVATIONS: Mapping[str, Derivation] = {}


def derived_values(
    name: str, settings: Environment, outputs: Outputs, derivations: Mapping[str, Derivation] = DERIVATIONS
) -> Mapping[str, object]:
    """The derived layer of the release `name`; empty where the release has no function."""
    derivation = derivations.get(name)
    return derivation(settings, outputs) if derivation else {}
