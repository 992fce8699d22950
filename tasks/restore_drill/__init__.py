"""The restore drill: what is kept of each store is restored beside it, compared with it, and removed again."""
