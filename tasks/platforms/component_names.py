"""The names of the components, the same on every platform."""

PREFECT_SERVER = "prefect-server"
PREFECT_WORKER = "prefect-worker"
EMBEDDING = "embedding"
CHAT = "chat"
REASONING = "reasoning"
GATEWAY = "gateway"
AGENTS = "agents"
