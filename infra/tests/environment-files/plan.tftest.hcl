# A plan of the environment file that -var-file names, without an account.

mock_provider "aws" {}

run "plan" {
  command = plan

  assert {
    condition     = (var.environment.name == "local") == alltrue([for output in [output.name, output.encryption, output.network, output.identity, output.cluster] : output == null])
    error_message = "On AWS everything must be made, in local nothing."
  }
  assert {
    condition     = var.environment.name == "local" || try(length(output.network.subnet_ids.private) >= 3, false)
    error_message = "There must be three zones."
  }
}
