"""The commit points of a refresh into OpenSearch, and of a drill: the calls of the store, and requests on the wire."""

from collections import Counter
from collections.abc import Sequence

from tests.crash.faults import WirePoint
from tests.crash.refresh_points import refresh_points
from tests.crash.stores import OPENSEARCH

OPENSEARCH_POINTS = refresh_points(OPENSEARCH)

_GENERATION = r"\d{8}-\d{6}-[0-9a-f]+"
_INDEX = rf"/[^/]+-{_GENERATION}"

WIRE_POINTS = (
    WirePoint("note", "PUT", r"/[^/]+-notes/_doc/.+", calls=3),
    WirePoint("index", "PUT", _INDEX),
    WirePoint("manifest", "PUT", rf"/[^/]+-manifests/_doc/{_GENERATION}", calls=2),
    WirePoint("clone", "PUT", rf"{_INDEX}/_clone{_INDEX}"),
    WirePoint("unwanted-gone", "POST", rf"{_INDEX}/_delete_by_query"),
    WirePoint("ownership", "PUT", rf"{_INDEX}/_mapping"),
    WirePoint("bulk", "POST", "/_bulk", calls=2),
    WirePoint("make-searchable", "POST", rf"{_INDEX}/_refresh"),
    WirePoint("write-block", "PUT", rf"{_INDEX}/_settings"),
    WirePoint("aliases", "POST", "/_aliases"),
    WirePoint("index-gone", "DELETE", _INDEX, calls=3),
    WirePoint("manifest-gone", "DELETE", rf"/[^/]+-manifests/_doc/{_GENERATION}"),
)

_SNAPSHOT = r"/_snapshot/[^/]+/[^/]+"

DRILL_POINTS = (
    WirePoint("repository", "PUT", "/_snapshot/[^/]+"),
    WirePoint("former-snapshot", "DELETE", _SNAPSHOT),
    WirePoint("snapshot", "PUT", _SNAPSHOT),
    WirePoint("restore", "POST", f"{_SNAPSHOT}/_restore"),
    WirePoint("restored-searchable", "POST", "/[^/]+-drill-[^/]+/_refresh"),
    WirePoint("restored-gone", "DELETE", "/[^/]+-drill-[^/]+", calls=2),
)


def assert_points_are_the_writes(points: tuple[WirePoint, ...], writes: Sequence[tuple[str, str]]) -> None:
    """A run that meets no fault sends what every point says, as often as it says, and nothing else."""
    met = {write: [point.name for point in points if point.is_met_by(*write)] for write in writes}
    strays = {write: names for write, names in met.items() if len(names) != 1}
    assert not strays, f"of no point, or of more than one: {strays}"
    calls = Counter(name for write in writes for name in met[write])
    # A point is struck at one of these calls, so its run has to make them all.
    never = {point.name: calls[point.name] for point in points if calls[point.name] < point.first + point.calls - 1}
    assert not never, f"made less often than faults would strike: {never}"
