"""ElastiCache, on moto.

- A user cannot be changed; AWS gives it another way to sign in (API reference, ModifyUser).
- Subnet groups have a module of their own.
"""

from dataclasses import replace
from urllib.parse import urlencode

from rehearsal.aws.call import Answer, Call, Proceed
from rehearsal.aws.corrections.cache_subnet_groups import CacheSubnetGroups
from rehearsal.aws.corrections.xml_answer import XmlAnswer


class ElastiCache:
    """Remembers how each user that was changed signs in; passwords are not kept."""

    def __init__(self) -> None:
        self._signs_in_by: dict[str, str] = {}
        self._subnet_groups = CacheSubnetGroups()

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Users as AWS answers them; all else as moto does."""
        form = call.form
        action, user = form.get("Action", ""), form.get("UserId", "")
        if "CacheSubnetGroup" in action:
            return await self._subnet_groups.answer(call, proceed)
        if action == "ModifyUser":
            return await self._modified(form, call, proceed)
        answer = await proceed(call)
        if action == "DeleteUser":
            self._signs_in_by.pop(user, None)
        return self._as_aws(answer) if action == "DescribeUsers" and answer.succeeded else answer

    async def _modified(self, form: dict[str, str], call: Call, proceed: Proceed) -> Answer:
        asked = {"Action": "DescribeUsers", "Version": form["Version"], "UserId": form["UserId"]}
        described = await proceed(replace(call, body=urlencode(asked).encode()))
        if not described.succeeded:
            return described
        self._signs_in_by[form["UserId"]] = form["AuthenticationMode.Type"]
        body = self._as_aws(described).body.replace(b"DescribeUsers", b"ModifyUser")
        # One user instead of a list of one.
        return replace(described, body=body.replace(b"<Users><member>", b"").replace(b"</member></Users>", b""))

    def _as_aws(self, answer: Answer) -> Answer:
        document = XmlAnswer(answer)
        for user in document.all("Users/member"):
            way = self._signs_in_by.get(document.text(user, "UserId"))
            if way is not None:
                document.set(document.below(user, "Authentication"), "Type", way)
        return document.changed()
