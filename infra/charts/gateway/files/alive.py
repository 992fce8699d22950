"""Ends with 0 while LiteLLM answers on port `argv[1]` and its database password is the one of the secret at `argv[2]`.

RDS renews the password by itself, and LiteLLM reads it at its start alone: a container that starts again has the new
one. LiteLLM's own health does not tell: it is well while connections of before last, and when the database is away.
"""

import os
import sys
from http.client import HTTPConnection
from pathlib import Path

ANSWERS_WITHIN_SECONDS = 8

port, secret = int(sys.argv[1]), Path(sys.argv[2])
for name in ("DATABASE_USERNAME", "DATABASE_PASSWORD"):
    if os.environ[name] != (secret / name).read_text(encoding="utf-8"):
        sys.exit(f"{name} was renewed since LiteLLM started")
connection = HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN_SECONDS)
connection.request("GET", "/health/liveliness")
status = connection.getresponse().status
sys.exit(0 if status == 200 else f"LiteLLM answers {status}")
