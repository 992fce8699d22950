"""The agent service as flows release it and ask it: its settings, its versions, and what a new one has to prove."""
