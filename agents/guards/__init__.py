"""What holds whatever a model says."""
