"""The commit points of a refresh into OpenSearch: the calls of the store, and the requests by which it makes them."""

from tests.crash.faults import WirePoint
from tests.crash.refresh_points import refresh_points
from tests.crash.stores import OPENSEARCH

OPENSEARCH_POINTS = refresh_points(OPENSEARCH)

_GENERATION = r"\d{8}-\d{6}-[0-9a-f]+"
_INDEX = rf"/[^/]+-{_GENERATION}"

WIRE_POINTS = (
    WirePoint("note", "PUT", r"/[^/]+-notes/_doc/.+"),
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
