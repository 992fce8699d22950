"""Langfuse by its public API: traces read, scores, datasets and experiments written."""
