"""A cloud on a laptop: what an environment's flows are rehearsed against."""
