{{- define "agents.ingressAnnotations" -}}
{{- $ingress := .Values.ingress -}}
# Both ingresses are one load balancer: https://kubernetes-sigs.github.io/aws-load-balancer-controller/
alb.ingress.kubernetes.io/group.name: {{ .Release.Namespace }}
# The service takes tokens of a load balancer of this name only.
alb.ingress.kubernetes.io/load-balancer-name: {{ $ingress.name }}
alb.ingress.kubernetes.io/target-type: ip
alb.ingress.kubernetes.io/healthcheck-path: /healthz
alb.ingress.kubernetes.io/wafv2-acl-arn: {{ $ingress.webAcl }}
alb.ingress.kubernetes.io/load-balancer-attributes: access_logs.s3.enabled=true,access_logs.s3.bucket={{ $ingress.accessLogBucket }},access_logs.s3.prefix=load-balancers,idle_timeout.timeout_seconds={{ $ingress.idleSeconds }},routing.http.drop_invalid_header_fields.enabled=true
alb.ingress.kubernetes.io/target-group-attributes: deregistration_delay.timeout_seconds={{ .Values.stopSeconds }}
{{- if $ingress.domain }}
alb.ingress.kubernetes.io/scheme: internet-facing
alb.ingress.kubernetes.io/listen-ports: '[{"HTTP":80},{"HTTPS":443}]'
alb.ingress.kubernetes.io/ssl-redirect: "443"
alb.ingress.kubernetes.io/ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
alb.ingress.kubernetes.io/certificate-arn: {{ $ingress.domain.certificate }}
{{- else }}
# Without a name there is no certificate, and without one nothing is offered to the internet.
alb.ingress.kubernetes.io/scheme: internal
alb.ingress.kubernetes.io/listen-ports: '[{"HTTP":80}]'
{{- end }}
{{- end }}
{{- define "agents.backend" -}}
backend: { service: { name: agents, port: { name: http } } }
{{- end }}
{{- define "agents.signIn" -}}
{{- with .Values.ingress.signIn }}
{{- with .cognito }}
alb.ingress.kubernetes.io/auth-type: cognito
alb.ingress.kubernetes.io/auth-idp-cognito: {{ toJson . | quote }}
{{- end }}
{{- with .oidc }}
alb.ingress.kubernetes.io/auth-type: oidc
alb.ingress.kubernetes.io/auth-idp-oidc: {{ omit . "clientId" "clientSecret" | merge (dict "secretName" "sign-in") | toJson | quote }}
{{- end }}
alb.ingress.kubernetes.io/auth-scope: openid email profile
{{- end }}
{{- end }}
