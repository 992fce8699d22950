"""The values of a release: one layer over the other, the last one wins, and each error can name the layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.literals import NotLiteral
from tasks.helm.releases_file import InvalidReleases, Release
from tasks.helm.yaml_literals import read_yaml_literals

HELM_VALUES = REPOSITORY / "helm-values"
LAYER_NAMES = ("base", *(environment.value for environment in EnvironmentName))

Values = dict[str, object]


@dataclass(frozen=True)
class Layer:
    """Values of one origin: a file, or what derives from the environment and Terraform's outputs."""

    origin: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class LayeredValues:
    """The layers of one release, the last one strongest."""

    layers: tuple[Layer, ...]

    @property
    def merged(self) -> Values:
        """What the chart gets: objects are merged key by key, everything else is replaced, as Helm does."""
        merged: Values = {}
        for layer in self.layers:
            merged = _merge(merged, layer.values)
        return merged

    def origin_of(self, path: Sequence[str]) -> str | None:
        """Which layer decided the value at `path`, or None where the chart's own default holds."""
        return next((layer.origin for layer in reversed(self.layers) if _has(layer.values, path)), None)


def layered_values(
    name: str, settings: Environment, derived: Mapping[str, object], directory: Path = HELM_VALUES
) -> LayeredValues:
    """Read `<directory>/<name>/base.yaml` and `<environment>.yaml`, and put `derived` over them.

    Raises:
        InvalidReleases: a file is no YAML mapping, or gives a key twice.
    """
    files = [directory / name / f"{layer}.yaml" for layer in ("base", settings.name.value)]
    layers = [Layer(str(path), _read(path)) for path in files if path.exists()]
    if derived:
        layers.append(Layer(f"the values derived for {name!r} from the environment and Terraform's outputs", derived))
    return LayeredValues(tuple(layers))


def require_known_files(releases: Mapping[str, Release], directory: Path = HELM_VALUES) -> None:
    """Refuse values that nobody would read.

    Raises:
        InvalidReleases: a directory is named after no release, or a file in it after no environment.
    """
    for path in sorted(directory.iterdir()):
        if path.is_dir() and path.name not in releases:
            raise InvalidReleases(
                f"{path}: there is no release {path.name!r}; releases.yaml has {', '.join(sorted(releases)) or 'none'}"
            )
        for file in sorted(path.iterdir()) if path.is_dir() else ():
            if file.suffix != ".yaml" or file.stem not in LAYER_NAMES:
                raise InvalidReleases(
                    f"{file}: nothing reads it; allowed are {', '.join(f'{layer}.yaml' for layer in LAYER_NAMES)}"
                )


def _read(path: Path) -> Values:
    try:
        return read_yaml_literals(path.read_text(encoding="utf-8")).values
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidReleases(f"{path} cannot be read: {error}") from error
    except NotLiteral as error:
        raise InvalidReleases(f"{path}:{error}") from error


def _merge(below: Mapping[str, object], above: Mapping[str, object]) -> Values:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge(cast(Mapping[str, object], under), cast(Mapping[str, object], value))
        else:
            merged[key] = value
    return merged


def _has(values: Mapping[str, object], path: Sequence[str]) -> bool:
    here: object = values
    for part in path:
        if isinstance(here, list) and part.isdigit():
            return True  # a list comes from one layer as a whole
        if not isinstance(here, Mapping) or part not in here:
            return False
        here = cast(Mapping[str, object], here)[part]
    return True
