"""The process that serves: sockets, connections, the event loop, and what every request passes through."""
