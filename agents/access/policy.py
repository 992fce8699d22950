"""Which paths are open to everybody, and which scope each of the others needs."""

from agents.caller import Scope

OPEN = frozenset({"/", "/healthz", "/readyz", "/metrics"})
OPEN_BELOW = ("/page/",)
SCOPES: dict[str, Scope] = {
    "/v1/ask": "ask",
    "/v1/chat/completions": "ask",
    "/v1/models": "ask",
    "/v1/conversations": "ask",
    "/mcp": "ask",
    "/v1/search": "search",
    "/v1/documents": "search",
    "/v1/feedback": "feedback",
}
"""By the beginning of the path."""


def needed_scope(path: str) -> Scope | None:
    """The scope that `path` needs; None when it is open. What nobody thought of is for admins."""
    if path in OPEN or path.startswith(OPEN_BELOW):
        return None
    for beginning, scope in SCOPES.items():
        if path == beginning or path.startswith(f"{beginning}/"):
            return scope
    return "admin"
