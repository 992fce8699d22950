"""The names of the components, the same on every platform."""

PREFECT_SERVER = "prefect-server"
PREFECT_WORKER = "prefect-worker"
EMBEDDING = "embedding"
# While the knowledge base changes its embedding model.
FORMER_EMBEDDING = "former-embedding"
CHAT = "chat"
REASONING = "reasoning"
GATEWAY = "gateway"
AGENTS = "agents"
WEB_SEARCH = "web-search"
# On a laptop, while a new version of the agents proves itself.
AGENTS_CANDIDATE = "agents-candidate"
