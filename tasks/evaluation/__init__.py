"""Evaluations: whom they ask, what they measure, what they demand, and what is kept of them."""
