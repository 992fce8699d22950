"""Web search: whether a laptop has a key for it, and what its server is told."""

import os
from pathlib import Path

from agents.web_search.settings import Limits, WebSearchSettings
from tasks.environment import Environment
from tasks.environment.web_search import WebSearch
from tasks.laptop.data_directory import data_directory
from tasks.platforms.local import LocalPlatform


def web_search_is_on(environment: Environment, platform: LocalPlatform) -> bool:
    """Whether the environment has web search, and the variable of its key is set, here or in `secrets.env`."""
    search = environment.agents.web_search
    if search is None or search.key_variable is None:
        return False
    return bool(os.environ.get(search.key_variable) or platform.secrets.get(search.key_variable))


def web_search_settings(environment: Environment, host: str, port: int) -> WebSearchSettings:
    """Everything that the server is told, its key by the name of the variable only.

    Raises:
        ValueError: the environment has no web search, or keeps its key elsewhere.
    """
    search = environment.agents.web_search
    if search is None or search.key_variable is None:
        raise ValueError(f"environment {environment.name.value!r} has no agents.web_search.key_variable")
    return WebSearchSettings(
        host=host,
        port=port,
        allowed_hosts=[f"127.0.0.1:{port}", f"localhost:{port}", f"{host}:{port}"],
        api_key_variable=search.key_variable,
        limits=Limits.model_validate(search.limits),
    )


def cluster_web_search_settings(search: WebSearch, host: str, port: int, service: str) -> WebSearchSettings:
    """As `web_search_settings` in a cluster, where the server is known as `service`."""
    return WebSearchSettings(
        host=host, port=port, allowed_hosts=[f"{service}:{port}"], limits=Limits.model_validate(search.limits)
    )


def web_search_file(environment: Environment) -> Path:
    """The JSON file that the server reads at its start."""
    return data_directory(environment) / "web-search.json"
