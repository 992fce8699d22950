from pathlib import Path

from fastapi import FastAPI

from agents.service import server_config
from agents.serving.listening import IDLE_MARGIN_SECONDS
from tests.agents.conftest import service_settings


def test_idle_connections_are_kept_longer_than_the_load_balancer_keeps_them(tmp_path: Path) -> None:
    settings = service_settings("http://127.0.0.1:9/v1", tmp_path)
    kept = server_config(FastAPI(), settings).timeout_keep_alive
    assert kept > settings.limits.answer_seconds + IDLE_MARGIN_SECONDS
