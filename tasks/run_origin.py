"""Where a flow run comes from: who asked for it, for which environment, and which commit runs it."""

_STARTED_BY = "started-by:"


def started_by_tag(who: str) -> str:
    """The tag of a run that somebody asked for by name."""
    return f"{_STARTED_BY}{who}"
