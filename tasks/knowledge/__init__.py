"""A refresh as the flows have it made: when it is due, where it runs, and what is shown of it."""
