{{- define "observability.workspace" -}}
agentic-eks/grafana: workspace
{{- end }}
{{- define "observability.selector" -}}
matchLabels:
  {{- include "observability.workspace" . | nindent 2 }}
{{- end }}
