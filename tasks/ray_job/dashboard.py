"""The log of a job, as Ray's dashboard tells it.

Source: https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html
"""

from dataclasses import dataclass

import httpx

from tasks.ray_job.cluster import FoundJob

# The header of Ray's own clients for its token.
TOKEN_HEADER = "x-ray-authorization"  # noqa: S105 - the name of a header
SECONDS = 5.0
NOT_FOUND = 404


class DashboardAway(Exception):
    """Ray's dashboard does not answer."""


@dataclass
class JobLog:
    """The log of one job, line by line; it begins anew when another head runs the job again."""

    _submission: str = ""
    _read: int = 0

    def new_lines(self, job: FoundJob, token: str, *, last: bool = False) -> list[str]:
        """What came since the last call; a line that is not complete waits, unless nothing more will come.

        Raises:
            DashboardAway: there is no answer.
        """
        text = _log(job, token)
        if job.submission != self._submission or len(text) < self._read:
            self._submission, self._read = job.submission, 0
        new = text[self._read :]
        complete = new if last else new[: new.rfind("\n") + 1]
        self._read += len(complete)
        return complete.splitlines()


def _log(job: FoundJob, token: str) -> str:
    address = f"http://{job.dashboard}/api/jobs/{job.submission}/logs"
    try:
        answer = httpx.get(address, headers={TOKEN_HEADER: f"Bearer {token}"}, timeout=SECONDS)
        if answer.status_code == NOT_FOUND:
            return ""  # the dashboard is there, the job was not handed in yet
        return str(answer.raise_for_status().json().get("logs") or "")
    except (httpx.HTTPError, ValueError) as error:
        raise DashboardAway(f"Ray's dashboard does not answer at {address}: {error}") from error
