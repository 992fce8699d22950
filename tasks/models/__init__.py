"""The models of a cluster: whether they answer, how many servers there are, and the way back."""
