"""What the Kubernetes API refuses, as errors that say what to do; helm and the client quote the same sentences."""

import re
from collections.abc import Callable, Mapping


class ClusterFault(Exception):
    """The cluster refused something, or did not answer."""


class ApiAway(ClusterFault):
    """The API server does not answer; it may be back in a moment."""


class ObjectMissing(ClusterFault):
    """There is no such object, or no such kind."""


class UnknownIdentity(ClusterFault):
    """The cluster does not know who asks: the credentials are wrong or over, or nobody gave them access."""


class MissingRights(ClusterFault):
    """The identity may not do what was asked: names the verb and the resource."""


class OwnedByAnother(ClusterFault):
    """Another field manager owns a field that the release wants to set: says who, and which field."""


class ImmutableField(ClusterFault):
    """A field that cannot change after creation differs: names the object and the field."""


class WebhookAway(ClusterFault):
    """An admission webhook that must answer does not serve yet: names it."""


_AWAY = re.compile(
    r"connection refused|connection reset by peer|: EOF\b|unexpected EOF|TLS handshake timeout|i/o timeout"
    r"|http2: client connection lost|the server is currently unable to handle the request|ServiceUnavailable"
    r"|etcdserver: (?:leader changed|request timed out)|apiserver is shutting down|no route to host",
)
_WEBHOOK = re.compile(r'failed calling webhook "(?P<webhook>[^"]+)": (?P<reason>[^\n]*)')
_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)"'
    r'(?: in API group "(?P<group>[^"]*)")?(?P<where>(?: in the namespace "[^"]*"| at the cluster scope)?)'
)
_CONFLICT = re.compile(
    r'conflicts? with "(?P<owner>[^"]+)"(?: with subresource "[^"]+")?(?: using \S+?)?:?\s+(?P<field>\.[^\s:]+)'
)
_OWNER_LISTED = re.compile(r'conflicts with "(?P<owner>[^"]+)"[^:]*:(?P<fields>(?:\s+- \.\S+)+)')
_IMMUTABLE = re.compile(
    r'(?P<object>[A-Za-z0-9.]+ "[^"]+") is invalid: (?P<field>[\w.\[\]]+): (?:Invalid value|Forbidden): [^\n]*?'
    r"(?:field is immutable|updates to \w+ spec for fields other than|may not be changed)",
)


def _away(found: re.Match[str], what: str) -> ClusterFault:
    return ApiAway(f"{what}: the Kubernetes API does not answer ({found.group(0)}); check the cluster, then run again")


def _webhook(found: re.Match[str], what: str) -> ClusterFault:
    return WebhookAway(
        f"{what}: the admission webhook {found['webhook']!r} must answer first, and does not serve: {found['reason']}; "
        "look at the pods of the release that brought it, and name that release under `needs`"
    )


def _forbidden(found: re.Match[str], what: str) -> ClusterFault:
    group = f".{found['group']}" if found["group"] else ""
    return MissingRights(
        f"{what}: {found['user']!r} lacks the right to {found['verb']} {found['resource']}{group}{found['where']}; "
        "grant it by a role, or use an identity that has it"
    )


def _conflict(found: re.Match[str], what: str) -> ClusterFault:
    return OwnedByAnother(
        f"{what}: the field {found['field']} is owned by {found['owner']!r}; take it out of the values, or let that "
        "owner give it up"
    )


def _listed_conflict(found: re.Match[str], what: str) -> ClusterFault:
    fields = ", ".join(re.findall(r"- (\.\S+)", found["fields"]))
    return OwnedByAnother(
        f"{what}: the fields {fields} are owned by {found['owner']!r}; take them out of the values, or let that owner "
        "give them up"
    )


def _immutable(found: re.Match[str], what: str) -> ClusterFault:
    return ImmutableField(
        f"{what}: {found['field']} of {found['object']} cannot change after its creation; keep the value, or "
        "delete the object (its pods restart) and run again"
    )


# The order matters: a webhook's own failure quotes a refused connection too.
_RULES: Mapping[re.Pattern[str], Callable[[re.Match[str], str], ClusterFault]] = {
    _WEBHOOK: _webhook,
    _FORBIDDEN: _forbidden,
    _OWNER_LISTED: _listed_conflict,
    _CONFLICT: _conflict,
    _IMMUTABLE: _immutable,
    _AWAY: _away,
}


def known_fault(message: str, what: str) -> ClusterFault | None:
    """The fault that `message` of the API server describes, or None; `what` says what was being done."""
    for pattern, fault in _RULES.items():
        if found := pattern.search(message):
            return fault(found, what)
    return None
