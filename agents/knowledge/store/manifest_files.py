"""The manifests of an embedded store, and the pointer to the serving one, as files that change atomically.

A generation exists exactly while its manifest does. The state is part of the file's name
(`<generation>.building.json`, `<generation>.ready.json`), so that asking for it parses nothing.
"""

import re
from contextlib import suppress
from pathlib import Path

from agents.knowledge.generation import GENERATION_NAME, Manifest
from agents.knowledge.store import UnknownGeneration
from agents.knowledge.store.replaced_file import replace_file

# One that is building may be sealed between the first look and the second.
_LOOKS = ("ready", "building", "ready")


class ManifestFiles:
    """Reads and writes the manifests below `directory`. One process writes, any number of them read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._pointer = directory / "serving"
        self._serving: tuple[tuple[int, int, int], Manifest] | None = None

    def is_ready(self, generation: str) -> bool:
        """Whether the generation is sealed.

        Raises:
            UnknownGeneration: there is no such generation.
        """
        for state in _LOOKS:
            if self._path(generation, state).exists():
                return state == "ready"
        raise self._unknown(generation)

    def generations(self) -> list[str]:
        """The names of all generations, sorted."""
        return sorted({path.name.split(".")[0] for path in self._directory.glob("*.*.json")})

    def read(self, generation: str) -> Manifest:
        """The manifest of a generation.

        Raises:
            UnknownGeneration: there is no such generation.
        """
        for state in _LOOKS:
            with suppress(FileNotFoundError):
                return Manifest.model_validate_json(self._path(generation, state).read_bytes())
        raise self._unknown(generation)

    def all(self) -> list[Manifest]:
        """The manifests of all generations, by name; of those that are dropped meanwhile, none."""
        found: list[Manifest] = []
        for generation in self.generations():
            with suppress(UnknownGeneration):
                found.append(self.read(generation))
        return found

    def write(self, manifest: Manifest) -> None:
        """Store a manifest under its state; once there is a ready one, the one of the building is gone."""
        replace_file(self._path(manifest.generation, manifest.state), manifest.model_dump_json().encode())
        if manifest.state == "ready":
            self._path(manifest.generation, "building").unlink(missing_ok=True)

    def remove(self, generation: str) -> None:
        """Forget a generation; nothing when it is unknown."""
        for state in ("ready", "building"):
            self._path(generation, state).unlink(missing_ok=True)

    def serve(self, generation: str) -> None:
        """Move the pointer to this generation."""
        replace_file(self._pointer, generation.encode())

    def serving(self) -> Manifest | None:
        """The manifest that the pointer names, None before the first promotion; one `stat` when it has not moved.

        Raises:
            UnknownGeneration: the pointer names a generation that is not there.
        """
        while True:
            try:
                status = self._pointer.stat()
                identity = (status.st_ino, status.st_mtime_ns, status.st_size)
                cached = self._serving
                if cached and cached[0] == identity:
                    return cached[1]
                generation = self._pointer.read_text()
            except FileNotFoundError:
                return None
            try:
                manifest = self.read(generation)
            except UnknownGeneration:
                if self._pointer.read_text() == generation:
                    raise
                continue  # a promotion and a drop came between the two reads
            self._serving = (identity, manifest)
            return manifest

    def _unknown(self, generation: str) -> UnknownGeneration:
        return UnknownGeneration(f"no generation {generation!r} in {self._directory}; it holds {self.generations()!r}")

    def _path(self, generation: str, state: str) -> Path:
        if not re.fullmatch(GENERATION_NAME, generation):  # `../..` would lead out of the directory
            raise UnknownGeneration(f"{generation!r} is not the name of a generation")
        return self._directory / f"{generation}.{state}.json"
