"""Runs that a worker took and that never began, as when the worker died before it had made their pod."""

from datetime import datetime, timedelta

from prefect.client.schemas.objects import FlowRun

# A worker that lives gives a pod up after 10 minutes (job_template.py): a restart of it and a slow image fit in.
BEGINS_WITHIN = timedelta(minutes=45)


def never_began(run: FlowRun, now: datetime) -> bool:
    """Whether `run` has been pending for longer than any run that will begin."""
    return run.state is not None and run.state.is_pending() and now - run.state.timestamp > BEGINS_WITHIN
