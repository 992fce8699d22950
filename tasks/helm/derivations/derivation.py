"""What a derivation is: it reads typed fields and returns plain values; nothing is put into text."""

from collections.abc import Callable, Mapping
from typing import Any

from tasks.environment import Environment

# Terraform's outputs by name; beside them, under "images", the project's own images by name.
Outputs = Mapping[str, Any]
Derivation = Callable[[Environment, Outputs], Mapping[str, object]]
