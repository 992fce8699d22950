"""The labelled questions and statements, and how people get more of them."""
