# A plan of the environment file that -var-file names, without an account.

# Every ARN is known, so that every policy that is made of them can be read in the plan.
mock_provider "aws" {
  override_during = plan

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:111122223333:rule/mock" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:mock" }
  }
  mock_resource "aws_db_instance" {
    defaults = { arn = "arn:aws:rds:us-east-1:111122223333:db:mock", resource_id = "db-MOCK" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::111122223333:instance-profile/mock" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:111122223333:key/mock" }
  }
  mock_resource "aws_prometheus_workspace" {
    defaults = { arn = "arn:aws:aps:us-east-1:111122223333:workspace/ws-mock" }
  }
  # What AWS would fill in of the policies that other resources set is no policy of ours.
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mock", policy = "" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:111122223333:mock", policy = "" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:111122223333:mock", policy = "" }
  }
}

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
