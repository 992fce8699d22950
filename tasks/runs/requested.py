"""A run of a deployment that a program asks for: once, however often it asks, with its parameters and its name."""

from collections.abc import Mapping

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from tasks.runs.idempotency_key import next_key
from tasks.runs.origin import started_by_tag


class RunRefused(ValueError):
    """The Prefect server has no such deployment, or refuses the parameters; says which, and what it says."""


def request_run(
    client: SyncPrefectClient, deployment: str, parameters: Mapping[str, object], key: str, started_by: str
) -> FlowRun:
    """Ask for a run of `deployment` (`<flow>/<environment>`); `parameters` go over those that it was deployed with.

    The same `key` gives the run of that deployment that is under way or completed, whatever its parameters were; after
    one that ended otherwise, a new one.

    Raises:
        RunRefused: there is no such deployment, or it does not take the parameters.
    """
    try:
        identifier = client.read_deployment_by_name(deployment).id
    except (ObjectNotFound, ValueError) as error:
        raise RunRefused(
            f"the Prefect server at {client.api_url} has no deployment {deployment!r}; `make deploy` registers those "
            "of an environment, and `prefect deployment ls` lists them"
        ) from error
    try:
        return client.create_flow_run_from_deployment(
            identifier,
            parameters=dict(parameters),
            tags=[started_by_tag(started_by)],
            idempotency_key=next_key(client, f"{deployment.replace('/', '-')}-{key}")[0],
        )
    except PrefectHTTPStatusError as error:
        if error.response.status_code not in (409, 422):
            raise
        raise RunRefused(f"{deployment} refuses {dict(parameters)!r}: {error.response.text}") from error
