# One role for each workload that calls AWS, taken on through EKS Pod Identity by its service account and no other.

locals {
  workloads = merge(local.always, local.with_domain, local.with_langfuse)
  with_domain = {
    for name, workload in {
      external-dns = {
        namespace = "external-dns", service_account = "external-dns", statements = local.external_dns_statements
      }
    } : name => workload if var.domain != null
  }
  with_langfuse = {
    for name, workload in {
      langfuse = { namespace = "langfuse", service_account = "langfuse", statements = local.langfuse_statements }
    } : name => workload if var.names.langfuse_bucket != null
  }
  always = {
    karpenter = {
      namespace = "kube-system", service_account = "karpenter", statements = local.karpenter_statements
    }
    aws-load-balancer-controller = {
      namespace = "kube-system", service_account = "aws-load-balancer-controller", statements = local.load_balancer_statements
    }
    external-secrets = {
      namespace = "external-secrets", service_account = "external-secrets", statements = local.external_secrets_statements
    }
    fluent-bit = {
      namespace = "observability", service_account = "fluent-bit", statements = local.fluent_bit_statements
    }
    grafana = {
      namespace = "observability", service_account = "grafana", statements = local.grafana_statements
    }
    keda = {
      namespace = "keda", service_account = "keda-operator", statements = [local.query_metrics]
    }
    litellm = {
      namespace = "gateway", service_account = "litellm", statements = local.litellm_statements
    }
    models = {
      namespace = "models", service_account = "models", statements = local.models_statements
    }
    models-compiler = {
      namespace = "models", service_account = "models-compiler", statements = local.models_compiler_statements
    }
    ray = {
      namespace = "ray", service_account = "ray", statements = local.ray_statements
    }
    agents = {
      namespace = "agents", service_account = "agents", statements = local.agents_statements
    }
    prefect-worker = {
      namespace = "prefect", service_account = "prefect-worker", statements = local.prefect_worker_statements
    }
  }
}

resource "aws_iam_role" "pod" {
  for_each = local.workloads

  name        = "${var.name}-${each.key}"
  description = "For the pods of ${each.value.namespace}/${each.value.service_account}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = var.account_id
          "aws:RequestTag/eks-cluster-arn"            = local.cluster_arn
          "aws:RequestTag/kubernetes-namespace"       = each.value.namespace
          "aws:RequestTag/kubernetes-service-account" = each.value.service_account
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "pod" {
  for_each = { for name, workload in local.workloads : name => workload.statements if length(workload.statements) > 0 }

  name   = "workload"
  role   = aws_iam_role.pod[each.key].name
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}
