# The web ACL and its log.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/mock/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-mock" }
  }
}

variables {
  name                   = "test"
  partition              = "aws"
  region                 = "us-east-1"
  account_id             = "111122223333"
  log_key_arn            = "arn:aws:kms:us-east-1:111122223333:key/logs"
  log_days               = 30
  requests_per_5_minutes = 2000
  largest_request_bytes  = 65536
  count_only             = ["CrossSiteScripting_BODY"]
}

run "firewall" {
  command = plan
  module {
    source = "./modules/firewall"
  }

  assert {
    condition     = toset([for rule in aws_wafv2_web_acl.this.rule : rule.priority]) == toset([0, 1, 10, 20, 30, 40])
    error_message = "Every rule must have its place."
  }
  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].managed_rule_group_statement[0].rule_action_override[*].name
      if rule.name == "AWSManagedRulesCommonRuleSet"
    ])) == toset(["SizeRestrictions_BODY", "CrossSiteScripting_BODY"])
    error_message = "Bodies over 8 KB and the rules of the file must only be counted by the common set."
  }
  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].rate_based_statement[0].limit == 2000 if rule.name == "RequestRate"
    ])
    error_message = "The rate must be the file's."
  }
  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for path, question in { "/v1/chat/completions" = true, "/mcp" = true, "/" = false, "/v2/ask" = false } :
        can(regex(rule.statement[0].and_statement[0].statement[1].not_statement[0].statement[0].regex_match_statement[0].regex_string, path)) == question
      ] if rule.name == "BodyOverEightKilobytes"
    ]))
    error_message = "Only where questions are posted may a body be over 8 KB."
  }
  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for length, blocked in { "0" = false, "65536" = false, "99999" = false, "100000" = true } :
        can(regex(rule.statement[0].regex_match_statement[0].regex_string, length)) == blocked
      ] if rule.name == "QuestionTooLong"
    ]))
    error_message = "A declared length of a digit more than the limit has must be blocked."
  }
  assert {
    condition = (
      startswith(aws_cloudwatch_log_group.firewall.name, "aws-waf-logs-") && aws_cloudwatch_log_group.firewall.kms_key_id == var.log_key_arn &&
      length(aws_wafv2_web_acl_logging_configuration.this.redacted_fields) == 2
    )
    error_message = "What the firewall saw must be logged, encrypted, without credentials."
  }
}
