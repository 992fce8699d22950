"""What happens in each state of answering a question, one file a group of states."""
