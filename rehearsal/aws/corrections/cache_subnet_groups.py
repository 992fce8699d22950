"""Subnet groups of ElastiCache, on moto.

One cannot be deleted; AWS deletes one that no cache is in, and then knows it no longer (API reference,
DeleteCacheSubnetGroup), also by its tags. Its name stays taken here: a rehearsal makes an environment once.
"""

from dataclasses import replace
from urllib.parse import urlencode

from rehearsal.aws.call import Answer, Call, Proceed
from rehearsal.aws.corrections.xml_answer import XmlAnswer

_NAMESPACE = "http://elasticache.amazonaws.com/doc/2015-02-02/"
_XML = (("Content-Type", "text/xml"),)
_DELETED = f'<DeleteCacheSubnetGroupResponse xmlns="{_NAMESPACE}"/>'
_UNKNOWN = (
    f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>CacheSubnetGroupNotFoundFault</Code>'
    "<Message>There is no cache subnet group of that name.</Message></Error></ErrorResponse>"
)


class CacheSubnetGroups:
    """Remembers which subnet groups were deleted."""

    def __init__(self) -> None:
        self._deleted: set[str] = set()

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """A call of subnet groups, without those that were deleted."""
        form = call.form
        action, name = form.get("Action"), form.get("CacheSubnetGroupName", "")
        if action == "DescribeCacheSubnetGroups" and not name:
            return self._left(await proceed(call))
        if action not in ("DeleteCacheSubnetGroup", "DescribeCacheSubnetGroups"):
            return await proceed(call)
        if name in self._deleted:
            return Answer(400, _XML, _UNKNOWN.encode())
        asked = call.body.replace(b"DeleteCacheSubnetGroup&", b"DescribeCacheSubnetGroups&")
        described = await proceed(replace(call, body=asked))
        if action == "DeleteCacheSubnetGroup" and described.succeeded:
            self._deleted.add(name)
            await _untag(call, XmlAnswer(described), proceed)
            return Answer(200, _XML, _DELETED.encode())
        return described

    def _left(self, answer: Answer) -> Answer:
        document = XmlAnswer(answer)
        for groups in document.all("CacheSubnetGroups"):
            for group in list(groups):
                if document.text(group, "CacheSubnetGroupName") in self._deleted:
                    groups.remove(group)
        return document.changed()


async def _untag(call: Call, described: XmlAnswer, proceed: Proceed) -> None:
    (group,) = described.all("CacheSubnetGroups/CacheSubnetGroup")
    asked = {"Version": call.form["Version"], "ResourceName": described.text(group, "ARN")}
    listed = await proceed(_asking(call, {"Action": "ListTagsForResource", **asked}))
    tags = XmlAnswer(listed)
    keys = {f"TagKeys.member.{n}": tags.text(tag, "Key") for n, tag in enumerate(tags.all("TagList/Tag"), start=1)}
    if keys:
        await proceed(_asking(call, {"Action": "RemoveTagsFromResource", **asked, **keys}))


def _asking(call: Call, form: dict[str, str]) -> Call:
    return replace(call, body=urlencode(form).encode())
