"""What `terraform destroy` cannot do: empty what must be empty, sweep up after it, prove that nothing is left."""
