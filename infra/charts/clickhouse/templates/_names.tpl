{{- define "clickhouse.labels" -}}
app.kubernetes.io/name: clickhouse
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- /* The address of one replica; they are counted from 1, because ids of Keeper are. */}}
{{- define "clickhouse.node" -}}
clickhouse-{{ .number }}.clickhouse-nodes.{{ .namespace }}.svc.cluster.local
{{- end }}
