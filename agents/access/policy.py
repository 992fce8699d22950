"""Which paths are open to everybody, and which scopes open each of the others."""

from agents.caller import Scope

OPEN = frozenset({"/", "/healthz", "/readyz", "/metrics"})
OPEN_BELOW = ("/page/",)
SCOPES: dict[str, tuple[Scope, ...]] = {
    "/v1/ask": ("ask",),
    "/v1/chat/completions": ("ask",),
    "/v1/models": ("ask",),
    "/v1/conversations": ("ask",),
    "/mcp": ("ask", "search"),
    "/v1/search": ("search",),
    "/v1/documents": ("search",),
    "/v1/feedback": ("feedback",),
}
"""By the beginning of the path; any one of them suffices. Of /mcp each tool knows which one it needs."""


def known_path(path: str) -> str | None:
    """The entry of `SCOPES` that `path` falls under; None for others, which anyone can invent."""
    return next((known for known in SCOPES if path == known or path.startswith(f"{known}/")), None)


def opening_scopes(path: str) -> tuple[Scope, ...]:
    """The scopes of which `path` needs one; none when it is open. What nobody thought of is for admins."""
    if path in OPEN or path.startswith(OPEN_BELOW):
        return ()
    known = known_path(path)
    return ("admin",) if known is None else SCOPES[known]
