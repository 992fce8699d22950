"""RDS, on moto.

- An instance's Performance Insights are forgotten; AWS answers whether they are on, and their key and retention, 7 days
  where nothing was asked for (API reference, DBInstance).
- All instances have one `DbiResourceId`; AWS gives each its own (API reference, DBInstance), by which the provider
  looks for it.
- Parameters are answered without their source; AWS says `user` of those that were set (API reference, Parameter).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from rehearsal.aws.call import Answer, Call, Proceed
from rehearsal.aws.corrections.xml_answer import XmlAnswer

# As it is asked for, and as it is answered.
_INSIGHTS = {
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
}
_FILTER_VALUE = re.compile(r"(Filters\.Filter\.\d+)\.Values\.Value\.\d+")


class Rds:
    """Remembers the Performance Insights of each instance, and the name behind each resource id."""

    def __init__(self) -> None:
        self._insights: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Instances and parameters as AWS answers them; all else as moto does."""
        answer = await proceed(self._by_name(call))
        if not answer.succeeded:
            return answer
        form = call.form
        action = form.get("Action", "")
        if action in ("CreateDBInstance", "ModifyDBInstance"):
            self._remember(form)
        if action == "DescribeDBParameters":
            return _of_users(answer)
        return self._as_aws(answer) if action.endswith(("DBInstance", "DBInstances")) else answer

    def _remember(self, form: Mapping[str, str]) -> None:
        asked = {answered: form[name] for name, answered in _INSIGHTS.items() if name in form}
        before = self._insights.get(form["DBInstanceIdentifier"], {"PerformanceInsightsRetentionPeriod": "7"})
        self._insights[form["DBInstanceIdentifier"]] = {**before, **asked}

    def _by_name(self, call: Call) -> Call:
        """Look for instances by name where the caller does by resource id."""
        form = call.form
        if "dbi-resource-id" not in form.values():
            return call
        for name, value in call.form.items():
            if value == "dbi-resource-id":
                form[name] = "db-instance-id"
            elif _FILTER_VALUE.fullmatch(name):
                form[name] = self._names.get(value, value)
        return replace(call, body=urlencode(form).encode())

    def _as_aws(self, answer: Answer) -> Answer:
        document = XmlAnswer(answer)
        for instance in document.all("DBInstance"):
            name = document.text(instance, "DBInstanceIdentifier")
            resource_id = f"db-{hashlib.sha256(name.encode()).hexdigest()[:26].upper()}"
            self._names[resource_id] = name
            document.set(instance, "DbiResourceId", resource_id)
            insights = self._insights.get(name, {})
            if insights.get("PerformanceInsightsEnabled") == "true":
                for name, value in insights.items():
                    document.set(instance, name, value)
        return document.changed()


def _of_users(answer: Answer) -> Answer:
    document = XmlAnswer(answer)
    for parameter in document.all("Parameter"):
        document.set(parameter, "Source", "user")
    return document.changed()
