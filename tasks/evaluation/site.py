"""Where an evaluation takes place: whom it asks, what Terraform made there, and where its reports are kept."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from tasks.evaluation.kept_reports import Reports
from tasks.evaluation.report import Report
from tasks.evaluation.trace_report import TraceReport
from tasks.gateway import Gateway


@dataclass(frozen=True)
class Asked:
    """The base URLs of the agent service that is asked and of the gateway behind it, and the gateway's key.

    `caller_key` is the one with which the service is asked; None where it does not want to know who asks.
    """

    service: str
    gateway: str
    key: SecretStr
    caller_key: SecretStr | None = None


@dataclass(frozen=True)
class EvaluationSite:
    """One environment's. `asked` has the service answer for the time of a block; `outputs` are None on a laptop.

    `gateway` finds the models without a service; `reports` are of golden questions, `trace_reports` of people's.
    """

    reports: Reports[Report]
    trace_reports: Reports[TraceReport]
    asked: Callable[[], AbstractContextManager[Asked]]
    gateway: Callable[[], Gateway]
    outputs: Mapping[str, Any] | None = None
