"""Serves the web search tools: `python -m agents.web_search`, settings in the file that AGENTS_SETTINGS names."""

import logging
import os
import sys

import uvicorn

from agents.settings_file import InvalidSettings
from agents.web_search.server import create_app
from agents.web_search.settings import load_settings

GRACE_SECONDS = 15


def main() -> int:
    """Serve until told to stop. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    log = logging.getLogger(__name__)
    # They would log what people search for, and the pages they read.
    for library in ("httpx", "mcp"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        settings = load_settings()
    except InvalidSettings as error:
        log.error("%s", error)
        return 2
    key = os.environ.get(settings.api_key_variable)
    if not key:
        log.warning("%s is not set: pages can be read, but the web is not searched", settings.api_key_variable)
    config = uvicorn.Config(
        create_app(settings, key),
        host=settings.host,
        port=settings.port,
        server_header=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
