"""EC2, on moto.

- A security group rule that refers to a group loses its description; AWS answers it (API reference, SecurityGroupRule).
- A launch template's version repeats, among the tags of what is launched, those of the template itself; AWS keeps the
  two apart (API reference, ResponseLaunchTemplateData).
- A managed prefix list that was deleted keeps its tags, by which it is still found; on AWS they go with it.
"""

import re
from dataclasses import replace
from urllib.parse import urlencode

from rehearsal.aws.call import Answer, Call, Proceed
from rehearsal.aws.corrections.xml_answer import XmlAnswer

_DESCRIPTION = re.compile(r"IpPermissions\.\d+\.Groups\.\d+\.Description")
_CHANGED_RULE = re.compile(r"SecurityGroupRule\.\d+\.SecurityGroupRuleId")


class Ec2:
    """Remembers the descriptions of rules."""

    def __init__(self) -> None:
        self._descriptions: dict[str, str] = {}

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Rules and launch templates as AWS answers them; all else as moto does."""
        answer = await proceed(call)
        if not answer.succeeded:
            return answer
        form = call.form
        match form.get("Action"):
            case "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress":
                description = next((form[name] for name in form if _DESCRIPTION.fullmatch(name)), None)
                return self._described(answer, description)
            case "ModifySecurityGroupRules":
                for name in filter(_CHANGED_RULE.fullmatch, form):
                    described = name.replace("SecurityGroupRuleId", "SecurityGroupRule.Description")
                    self._descriptions[form[name]] = form.get(described, "")
            case "DescribeSecurityGroupRules":
                return self._described(answer, None)
            case "DeleteManagedPrefixList":
                await _untag(call, XmlAnswer(answer), proceed)
            case "DescribeLaunchTemplateVersions":
                return _without_tags_of_the_template(answer)
            case _:
                pass
        return answer

    def _described(self, answer: Answer, given: str | None) -> Answer:
        document = XmlAnswer(answer)
        for rule in document.all("securityGroupRuleSet/item"):
            rule_id = document.text(rule, "securityGroupRuleId")
            if given is not None:
                self._descriptions[rule_id] = given
            if description := self._descriptions.get(rule_id):
                document.set(rule, "description", description)
        return document.changed()


def _without_tags_of_the_template(answer: Answer) -> Answer:
    document = XmlAnswer(answer)
    for tags in document.all("tagSpecificationSet"):
        for item in list(tags):
            if document.text(item, "resourceType") == "launch-template":
                tags.remove(item)
    return document.changed()


async def _untag(call: Call, deleted: XmlAnswer, proceed: Proceed) -> None:
    keys = [deleted.text(tag, "key") for tag in deleted.all("prefixList/tagSet/item")]
    asked = {"Action": "DeleteTags", "Version": call.form["Version"], "ResourceId.1": call.form["PrefixListId"]}
    tags = {f"Tag.{number}.Key": key for number, key in enumerate(keys, start=1)}
    await proceed(replace(call, body=urlencode(asked | tags).encode()))
