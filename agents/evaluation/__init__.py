"""How well passages fit a question, and whether an answer says what they say."""
