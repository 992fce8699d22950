# Prometheus as a service, and a collector that needs no agent in the cluster.

resource "aws_prometheus_workspace" "this" {
  alias       = var.name
  kms_key_arn = var.keys.data

  logging_configuration {
    log_group_arn = "${aws_cloudwatch_log_group.metrics.arn}:*"
  }
}

resource "aws_prometheus_workspace_configuration" "this" {
  workspace_id             = aws_prometheus_workspace.this.id
  retention_period_in_days = var.metrics.retention_days
}

# AWS gives the collector access to the Kubernetes API by an access entry of its own.
resource "aws_prometheus_scraper" "this" {
  alias                = var.name
  scrape_configuration = templatefile("${path.module}/scrape.yaml", { scrape_seconds = var.metrics.scrape_seconds })

  source {
    eks {
      cluster_arn        = var.cluster.arn
      subnet_ids         = var.network.subnet_ids
      security_group_ids = [var.cluster.security_group_id]
    }
  }

  destination {
    amp {
      workspace_arn = aws_prometheus_workspace.this.arn
    }
  }
}
