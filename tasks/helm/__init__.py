"""The rollout of Helm releases: read, ordered, layered, installed, proved and removed."""
