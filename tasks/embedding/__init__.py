"""The embedding model: which one it is, in a refresh and as a service."""
