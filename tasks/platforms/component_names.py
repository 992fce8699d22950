"""The names of the components, the same on every platform."""

PREFECT_SERVER = "prefect-server"
PREFECT_WORKER = "prefect-worker"
EMBEDDING = "embedding"
# While the knowledge base changes its embedding model.
FORMER_EMBEDDING = "former-embedding"
CHAT = "chat"
REASONING = "reasoning"
# All that may serve a model as a process, whatever the variable file says now.
MODEL_SERVERS = (EMBEDDING, FORMER_EMBEDDING, CHAT, REASONING)
GATEWAY = "gateway"
AGENTS = "agents"
WEB_SEARCH = "web-search"
# On a laptop, while a new version of the agents proves itself.
AGENTS_CANDIDATE = "agents-candidate"
