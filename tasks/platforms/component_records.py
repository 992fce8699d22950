"""What a laptop's platform keeps of each deployed component: a JSON file by its name."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter

from agents.knowledge.store.replaced_file import replace_file
from tasks.platforms import Component

_COMPONENT = TypeAdapter(Component)
_IN_CHANGE = ""


class ComponentRecords:
    """The records in `directory`, which is made at the first one; whoever reads sees a whole record or none."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> list[str]:
        """The components that have a record."""
        return sorted(path.stem for path in self._directory.glob("*.json"))

    def read(self, name: str) -> Component | None:
        """The component as it was last deployed; None when it was not."""
        path = self._path(name)
        return _COMPONENT.validate_json(path.read_bytes()) if path.exists() else None

    def write(self, component: Component) -> None:
        """Keep the component in place of the former one of its name."""
        self._directory.mkdir(parents=True, exist_ok=True)
        replace_file(self._path(component.name), json.dumps(asdict(component)).encode())

    def begin_change(self, name: str) -> None:
        """Have the record equal no component until one is written: of a change that is killed, nobody knows what runs.

        Where the component answers stays known.
        """
        former = self.read(name)
        if former is not None:
            self.write(replace(former, fingerprint=_IN_CHANGE))

    def forget(self, name: str) -> None:
        """Have no record of the component."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"
