"""Ports for servers that tests start."""

from rehearsal.ports import free_port

__all__ = ["free_port"]
