"""What was written and deleted in the sources' buckets, as EventBridge puts it into the environment's queue.

A message says that something changed before it was sent, and that is all that is read of it: no message can be wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.resource_names import name_prefix

# Whoever dies while it holds messages gives them back by this.
HELD_SECONDS = 300
AT_ONCE = 10


@dataclass(frozen=True)
class Change:
    """A message that is held: when it was sent, and what it is given back or deleted by."""

    at: datetime
    receipt: str


class DocumentEvents:
    """The queue of an environment; raises `MissingCredentials` and ClientError."""

    def __init__(self, settings: Environment) -> None:
        self._sqs: Any = client("sqs", settings)
        with explained_credentials():
            self._queue = {"QueueUrl": self._sqs.get_queue_url(QueueName=queue_name(settings))["QueueUrl"]}

    def hold(self, most: int) -> list[Change]:
        """The messages that are there, `most` of them and a few; nobody else sees them until they are given back."""
        held: list[Change] = []
        while len(held) < most:
            answer = self._sqs.receive_message(
                **self._queue,
                MaxNumberOfMessages=AT_ONCE,
                WaitTimeSeconds=1,
                VisibilityTimeout=HELD_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            found = answer.get("Messages", [])
            if not found:
                break
            held += [Change(_sent(message), message["ReceiptHandle"]) for message in found]
        return held

    def delete(self, changes: Sequence[Change]) -> None:
        """They are dealt with. One that SQS does not delete comes again, which costs nothing."""
        for entries in self._entries(changes):
            self._sqs.delete_message_batch(**self._queue, Entries=entries)

    def give_back(self, changes: Sequence[Change]) -> None:
        """They are for the next one who looks."""
        for entries in self._entries(changes):
            visible = [{**entry, "VisibilityTimeout": 0} for entry in entries]
            self._sqs.change_message_visibility_batch(**self._queue, Entries=visible)

    def _entries(self, changes: Sequence[Change]) -> list[list[dict[str, Any]]]:
        return [
            [{"Id": str(number), "ReceiptHandle": change.receipt} for number, change in enumerate(some)]
            for some in (changes[first : first + AT_ONCE] for first in range(0, len(changes), AT_ONCE))
        ]


def queue_name(settings: Environment) -> str:
    """The name that Terraform gives the queue."""
    return f"{name_prefix(settings.name)}-documents"


def _sent(message: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
