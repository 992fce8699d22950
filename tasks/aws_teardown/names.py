"""Which names in the account are an environment's."""

import re

from tasks.environment import Environment, EnvironmentName
from tasks.resource_names import name_prefix

# Where in a name the environment's own part may begin: "/aws/eks/<prefix>/cluster", "alias/<prefix>-data", and after
# the one prefix that AWS WAF demands.
_BEFORE = r"(?:^|/|^aws-waf-logs-)"
_AFTER = r"(?:$|[-_/.])"


def belongs(settings: Environment, name: str) -> bool:
    """Whether a thing of this name is this environment's, and not of one whose longer name starts the same."""
    own = name_prefix(settings.name)
    longer = [other for other in map(name_prefix, EnvironmentName) if other.startswith(f"{own}-")]
    return _is_of(own, name) and not any(_is_of(other, name) for other in longer)


def _is_of(prefix: str, name: str) -> bool:
    return re.search(f"{_BEFORE}{re.escape(prefix)}{_AFTER}", name) is not None
