"""The service against its own OpenAPI: requests of every kind, made by schemathesis; nothing unexpected comes back."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.agents.conftest import running_service
from tests.agents.signed_in import Doorkeeper, access

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SENTENCE = "`make down` stops every process that `make up` started."
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def openapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The schema of a live service whose callers sign in."""
    directory = tmp_path_factory.mktemp("openapi")
    state = directory / "state.db"
    with running_service(directory, access=access(state)) as service:
        service.gateway.reply = SENTENCE
        service.wait_until_ready()
        headers = Doorkeeper(state).headers("schemathesis", ("ask", "search", "feedback", "admin"))
        schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json", headers=headers)
        schema.config.update(headers=headers)
        yield schema


# Hypothesis takes a number drawn on a thread of the service, such as the jitter of a retry, for one of the strategy's.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning")
def test_every_operation_answers_as_its_schema_says(openapi: Any) -> None:
    tested: list[str] = []
    for result in openapi.get_all_operations():
        operation = result.ok()

        @settings(max_examples=10, deadline=None, database=None, suppress_health_check=SLOW)
        @given(case=operation.as_strategy())
        def conforms(case: Any) -> None:
            case.call_and_validate(checks=CHECKS, timeout=60)

        conforms()
        tested.append(operation.label)
    assert "POST /v1/ask" in tested
    assert len(tested) >= 10
