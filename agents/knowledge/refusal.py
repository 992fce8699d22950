"""A refresh that could go on and must not, before somebody has looked."""

from collections.abc import Mapping

Cell = str | int | float | bool | None


class RefreshRefused(Exception):
    """The serving generation stays; `rows` are what stands against the next one, as a table."""

    def __init__(self, message: str, rows: tuple[Mapping[str, Cell], ...]) -> None:
        super().__init__(message)
        self.message = message
        self.rows = rows

    def __reduce__(self) -> tuple[type["RefreshRefused"], tuple[object, ...]]:
        # Prefect pickles it; the rows are no argument of the exception, or every log would print all of them.
        return type(self), (self.message, self.rows)
