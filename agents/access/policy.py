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


def known_path(path: str) -> str | None:
    """The entry of `SCOPES` that `path` falls under; None for others, which anyone can invent."""
    return next((known for known in SCOPES if path == known or path.startswith(f"{known}/")), None)


def needed_scope(path: str) -> Scope | None:
    """The scope that `path` needs; None when it is open. What nobody thought of is for admins."""
    if path in OPEN or path.startswith(OPEN_BELOW):
        return None
    known = known_path(path)
    return "admin" if known is None else SCOPES[known]
