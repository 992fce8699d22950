# The keys, who may use them, and how long a deleted one can be brought back.

mock_provider "aws" {}

run "keys" {
  command = plan
  module {
    source = "./modules/encryption"
  }
  variables {
    name                 = "test"
    partition            = "aws"
    region               = "us-east-1"
    account_id           = "111122223333"
    deletion_window_days = 7
  }

  assert {
    condition     = keys(aws_kms_key.this) == ["data", "kubernetes-secrets", "logs"] && alltrue([for key in aws_kms_key.this : key.enable_key_rotation && key.deletion_window_in_days == 7])
    error_message = "There must be one key for each kind of content, rotated."
  }
  assert {
    condition     = length(jsondecode(aws_kms_key.this["kubernetes-secrets"].policy).Statement) == 1
    error_message = "No AWS service may use the key of Kubernetes Secrets by itself."
  }
  assert {
    condition     = can(jsondecode(aws_kms_key.this["logs"].policy).Statement[1].Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"])
    error_message = "CloudWatch Logs may use its key for log groups of this account only."
  }
}
