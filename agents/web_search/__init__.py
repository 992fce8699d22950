"""Web search: an MCP server of its own (`python -m agents.web_search`), and the client that the service asks it by."""
