"""What nobody expects of OpenSearch or of the gateway fails a probe, and ends none. Both are played."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agents.played_opensearch import PlayedOpenSearch, playing_opensearch, store_of
from tests.agents.talking import Talk, talk

STOP = "What does make down stop?"
GROUNDED = "`make down` stops every process that `make up` started."
REFUSED = {"error": {"type": "security_exception", "reason": "no permissions"}, "status": 403}


@pytest.fixture
def opensearch(tmp_path: Path) -> Iterator[PlayedOpenSearch]:
    with playing_opensearch(tmp_path / "elsewhere") as played:
        yield played


@pytest.fixture
def talking(tmp_path: Path, opensearch: PlayedOpenSearch) -> Iterator[Talk]:
    with talk(tmp_path, web=False, settings={"store": store_of(opensearch)}) as running:
        running.gateway.reply = GROUNDED
        yield running


def failed(talking: Talk, name: str) -> dict[str, Any]:
    """What /readyz says of this check, and of it alone."""
    checks = talking.running.wait_until_ready(False).json()["checks"]
    assert [each for each in checks if not checks[each]["ok"]] == [name]
    return checks[name]


def refused(talking: Talk) -> dict[str, Any]:
    response = talking.running.ask(STOP)
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) > 0
    return response.json()["error"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_store_that_knows_the_service_no_more_is_away(
    talking: Talk, opensearch: PlayedOpenSearch, status: int
) -> None:
    opensearch.refusal = (status, REFUSED)
    assert f"answered {status}" in failed(talking, "knowledge")["reason"]
    assert refused(talking)["code"] == "store_unavailable"
    opensearch.refusal = None
    talking.running.wait_until_ready()
    assert talking.ask(STOP)["kind"] == "answered"


def test_an_alias_without_its_manifest_is_no_generation(talking: Talk, opensearch: PlayedOpenSearch) -> None:
    opensearch.alias = "g0"
    assert "'g0'" in failed(talking, "knowledge")["reason"]
    assert refused(talking)["code"] == "no_generation"
    opensearch.alias = None
    talking.running.wait_until_ready()


def test_what_nobody_foresaw_is_logged_and_the_probes_go_on(
    talking: Talk, opensearch: PlayedOpenSearch, caplog: pytest.LogCaptureFixture
) -> None:
    opensearch.refusal = (200, ["no such answer"])
    assert failed(talking, "knowledge")["reason"].startswith("the probe failed")
    opensearch.refusal = None
    talking.running.wait_until_ready()
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert any(record.exc_info and "knowledge" in record.getMessage() for record in logged)


@pytest.mark.parametrize("page", ["<html>Sign in</html>", json.dumps({"error": "who are you?"}), "[]"])
def test_a_proxy_that_answers_for_the_gateway_is_no_model(talking: Talk, page: str) -> None:
    talking.gateway.page = page
    checks = talking.running.wait_until_ready(False).json()["checks"]
    assert not checks["embedding"]["ok"]
    assert refused(talking)["code"] == "gateway_unavailable"
    talking.gateway.page = None
    talking.running.wait_until_ready()
    assert talking.ask(STOP)["kind"] == "answered"
