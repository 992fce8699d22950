"""The models, through the gateway."""
