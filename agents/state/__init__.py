"""What outlives a process of the service: API keys, revocations, conversations and budgets, in SQLite or Postgres."""
