"""The refresh of a knowledge base, without an orchestrator: a flow on a laptop and a Ray job run the same steps."""
