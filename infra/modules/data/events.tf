# Every change of a document becomes a message, which the flow `events` reads: it asks for a refresh from inside the cluster,
# so that AWS holds no key of the Prefect server.

locals {
  retention_seconds = 14 * 24 * 3600 # as long as SQS keeps anything
  queues            = { changed = var.names.document_queue, undelivered = "${var.names.document_queue}-undelivered" }
}

# Of a bucket that is not the environment's own, its owner has to send events to EventBridge.
resource "aws_cloudwatch_event_rule" "documents" {
  for_each = var.document_places

  name        = "${var.names.document_queue}-${each.key}"
  description = "Documents of the source ${each.key} were written or deleted"
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created", "Object Deleted"]
    detail = {
      bucket = { name = [split("/", each.value)[0]] }
      object = { key = [{ prefix = trimprefix("${trimsuffix(trimprefix(each.value, split("/", each.value)[0]), "/")}/", "/") }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "documents" {
  for_each = var.document_places

  rule = aws_cloudwatch_event_rule.documents[each.key].name
  arn  = aws_sqs_queue.documents["changed"].arn
  dead_letter_config {
    arn = aws_sqs_queue.documents["undelivered"].arn
  }
}

# No message can be wrong, so that none has to be set aside by who reads it; what EventBridge could not deliver is.
resource "aws_sqs_queue" "documents" {
  for_each = local.queues

  name                      = each.value
  message_retention_seconds = local.retention_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "documents" {
  for_each = local.queues

  queue_url = aws_sqs_queue.documents[each.key].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "RefusePlainText"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.documents[each.key].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for rule in aws_cloudwatch_event_rule.documents : {
        Sid       = "HearEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.documents[each.key].arn
        Condition = { ArnEquals = { "aws:SourceArn" = rule.arn } }
      }],
    )
  })
}
