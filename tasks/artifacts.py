"""What a flow run shows in the Prefect UI: tables, text and progress, under keys that name environment and stage."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from tasks.environment import EnvironmentName


def artifact_key(environment: EnvironmentName, stage: str, name: str) -> str:
    """The key under which an artifact's versions are kept, such as `local-provision-machine`."""
    return re.sub(r"[^a-z0-9]+", "-", f"{environment.value}-{stage}-{name}".lower()).strip("-")


def publish_table(
    environment: EnvironmentName, stage: str, name: str, rows: Sequence[Mapping[str, object]], description: str
) -> None:
    """Publish `rows` (one mapping of column to value a row) as a table artifact."""
    table = [{column: _cell(value) for column, value in row.items()} for row in rows]
    create_table_artifact(table, key=artifact_key(environment, stage, name), description=description)


def publish_markdown(environment: EnvironmentName, stage: str, name: str, text: str, description: str) -> None:
    """Publish `text` as a markdown artifact."""
    create_markdown_artifact(text, key=artifact_key(environment, stage, name), description=description)


def publish_picture(environment: EnvironmentName, stage: str, name: str, png: bytes, description: str) -> None:
    """Publish a PNG.

    As Markdown, since below an image artifact the UI repeats the whole data URI as a link.
    """
    data = base64.b64encode(png).decode("ascii")
    publish_markdown(environment, stage, name, f"![{name}](data:image/png;base64,{data})", description)


@dataclass(frozen=True)
class Progress:
    """A progress artifact that was begun; `update` takes the work done so far."""

    identifier: UUID

    def update(self, done: int, total: int) -> None:
        """Show `done` of `total` (in whatever unit, `total` at least 1 to mean anything) as a percentage."""
        update_progress_artifact(self.identifier, progress=_percent(done, total))


def begin_progress(environment: EnvironmentName, stage: str, name: str, description: str) -> Progress:
    """Publish a progress artifact at 0 %."""
    key = artifact_key(environment, stage, name)
    # Prefect returns a coroutine only to a caller inside an event loop.
    return Progress(cast(UUID, create_progress_artifact(progress=0, key=key, description=description)))


def _percent(done: int, total: int) -> float:
    return 100.0 if total <= 0 else round(min(100.0, 100.0 * done / total), 1)


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
