"""What is the laptop's own: its directories, its secrets, and what is left on it."""
