"""Which releases an environment has, and in which order they can be rolled out."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from pydantic import BaseModel

from tasks.environment import Environment
from tasks.helm.releases_file import InvalidReleases, Release


def enabled_releases(releases: Mapping[str, Release], settings: Environment) -> dict[str, Release]:
    """The releases that the environment file switches on.

    Raises:
        InvalidReleases: a toggle is no key of an environment file, or a release that is on needs one that is off.
    """
    enabled = {name: release for name, release in releases.items() if _is_on(name, release, settings)}
    for name, release in enabled.items():
        for needed in release.needs:
            if needed not in enabled:
                raise InvalidReleases(
                    f"the release {name!r} needs {needed!r}, which {releases[needed].enabled_by} = null, false or "
                    f"empty switches off in the environment {settings.name.value!r}; switch both on, or both off"
                )
    return enabled


def rollout_order(releases: Mapping[str, Release]) -> list[str]:
    """The names in an order in which each comes after what it needs.

    Raises:
        InvalidReleases: the needs form a cycle, which is named.
    """
    try:
        return list(sorter_of(releases).static_order())
    except CycleError as error:
        cycle: Sequence[str] = error.args[1]
        # graphlib names each before the one that needs it.
        raise InvalidReleases(f"the needs of releases form a cycle: {' needs '.join(reversed(cycle))}") from error


def sorter_of(releases: Mapping[str, Release]) -> TopologicalSorter[str]:
    """The releases as a graph: what is ready can be rolled out at the same time; what is not among them is given."""
    return TopologicalSorter(
        {name: [needed for needed in releases[name].needs if needed in releases] for name in sorted(releases)}
    )


def _is_on(name: str, release: Release, settings: Environment) -> bool:
    if release.enabled_by is None:
        return True
    value: object = settings
    walked: list[str] = []
    for key in release.enabled_by.split("."):
        known: Sequence[str] = sorted(_keys(value))
        if key not in known:
            # A section that is absent or an entry that is not listed switches the release off; a wrong name is refused.
            if value is None or (isinstance(value, Mapping) and walked):
                return False
            where = ".".join(walked) or "an environment file"
            raise InvalidReleases(
                f"releases.{name}.enabled_by = {release.enabled_by!r}: {where} has no key {key!r}; "
                f"allowed are {', '.join(known)}"
            )
        walked.append(key)
        value = value[key] if isinstance(value, Mapping) else getattr(value, key)
    return bool(value) or isinstance(value, BaseModel)


def _keys(value: object) -> Sequence[str]:
    if isinstance(value, BaseModel):
        facts = [name for name, member in vars(type(value)).items() if isinstance(member, property)]
        return [*type(value).model_fields, *facts]
    return [str(key) for key in value] if isinstance(value, Mapping) else []
