"""The weights of models: mirrored from a public repository into the environment's bucket, and loaded from there."""
