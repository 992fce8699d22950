"""The move of a cluster to the next Kubernetes minor: what stands in its way, and what has moved."""
