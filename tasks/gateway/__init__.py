"""The LiteLLM gateway: configured, reached, proved, and asked what was spent."""
