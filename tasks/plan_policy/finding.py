"""What a rule says about a plan."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A resource that breaks a rule: which rule, which resource, what is wrong with it, and what to do."""

    rule: str
    address: str
    what: str
    remedy: str
