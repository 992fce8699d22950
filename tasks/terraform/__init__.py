"""Terraform: its command, its plans and its state, for the flows that provision, compare and tear down."""
