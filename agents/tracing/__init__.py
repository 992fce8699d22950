"""One trace a question, with its scores, sent to Langfuse beside the requests and never within them."""
