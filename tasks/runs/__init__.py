"""Flow runs: asked for, told apart, watched, and held back from one another."""
