"""What the flows do with the Kubernetes API themselves: connect, tell clusters apart, apply CRDs, prove workloads."""
