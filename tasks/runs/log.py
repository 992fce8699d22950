"""Where a task writes its lines: the flow run's log in the Prefect UI, or the standard log outside a run."""

import logging
from typing import Any

from prefect import get_run_logger
from prefect.exceptions import MissingContextError

Log = logging.Logger | logging.LoggerAdapter[Any]


def run_log() -> Log:
    """The log of the run that this is called in, or the project's own where there is none."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("agentic_eks")
