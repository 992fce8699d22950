"""Where an environment differs from what its file and the repository say."""
