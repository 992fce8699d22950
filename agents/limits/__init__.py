"""What one caller, one question and the whole service may use."""
