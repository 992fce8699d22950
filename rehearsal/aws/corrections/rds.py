"""RDS, on moto.

- An instance's Performance Insights are forgotten; AWS answers whether they are on, and their key and retention, 7 days
  where nothing was asked for (API reference, DBInstance).
- Parameters are answered without their source; AWS says `user` of those that were set (API reference, Parameter).
"""

from collections.abc import Mapping

from rehearsal.aws.call import Answer, Call, Proceed
from rehearsal.aws.corrections.xml_answer import XmlAnswer

# As it is asked for, and as it is answered.
_INSIGHTS = {
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
}


class Rds:
    """Remembers the Performance Insights of each instance."""

    def __init__(self) -> None:
        self._insights: dict[str, dict[str, str]] = {}

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Instances and parameters as AWS answers them; all else as moto does."""
        answer = await proceed(call)
        if not answer.succeeded:
            return answer
        form = call.form
        action = form.get("Action", "")
        if action in ("CreateDBInstance", "ModifyDBInstance"):
            self._remember(form)
        if action == "DescribeDBParameters":
            return _of_users(answer)
        return self._with_insights(answer) if action.endswith(("DBInstance", "DBInstances")) else answer

    def _remember(self, form: Mapping[str, str]) -> None:
        asked = {answered: form[name] for name, answered in _INSIGHTS.items() if name in form}
        before = self._insights.get(form["DBInstanceIdentifier"], {"PerformanceInsightsRetentionPeriod": "7"})
        self._insights[form["DBInstanceIdentifier"]] = {**before, **asked}

    def _with_insights(self, answer: Answer) -> Answer:
        document = XmlAnswer(answer)
        for instance in document.all("DBInstance"):
            insights = self._insights.get(document.text(instance, "DBInstanceIdentifier"), {})
            if insights.get("PerformanceInsightsEnabled") == "true":
                for name, value in insights.items():
                    document.set(instance, name, value)
        return document.changed()


def _of_users(answer: Answer) -> Answer:
    document = XmlAnswer(answer)
    for parameter in document.all("Parameter"):
        document.set(parameter, "Source", "user")
    return document.changed()
