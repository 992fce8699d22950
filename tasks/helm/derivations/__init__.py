"""What derives from the environment file and Terraform's outputs: a module an area, a typed function a release."""
