"""Who asks."""

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["ask", "search", "feedback", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Caller:
    """Whoever a request comes from; `id` says the same of the same caller tomorrow, and owns conversations.

    A `key` acts for the owner that it was made for, so that a new key of the same owner is the same caller, or for the
    operator; a `person` was signed in by the load balancer; `local` is everybody where nobody need sign in.
    """

    id: str
    kind: Literal["local", "key", "person"]
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether this caller may do what `scope` stands for; admins may do everything."""
        return scope in self.scopes or "admin" in self.scopes


LOCAL = Caller("local", "local", frozenset(SCOPES))
