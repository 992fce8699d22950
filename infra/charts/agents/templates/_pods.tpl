{{- define "agents.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .release }}
{{- end }}

{{- define "agents.placement" -}}
nodeSelector:
  agentic-eks/kind: graviton
  kubernetes.io/arch: arm64
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: DoNotSchedule
    labelSelector:
      matchLabels: {{- include "agents.labels" . | nindent 8 }}
    # During a rollout old and new pods would keep each other out of a zone.
    matchLabelKeys: [pod-template-hash]
{{- end }}

{{- define "agents.podSecurity" -}}
runAsNonRoot: true
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "agents.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
readOnlyRootFilesystem: true
{{- end }}

{{- /* The settings of a version are a ConfigMap of their own: a pod that starts late must not read another's. */}}
{{- define "agents.settingsName" -}}
{{ .name }}-{{ .settings | sha256sum | trunc 10 }}
{{- end }}

{{- define "agents.externalSecret" -}}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
spec:
  refreshInterval: {{ .refresh }}
  secretStoreRef: { kind: SecretStore, name: secrets-manager }
  target: { name: {{ .name }} }
  data:
    {{- range $variable, $secret := .secrets }}
    - secretKey: {{ $variable }}
      remoteRef: {{- toYaml $secret | nindent 8 }}
    {{- end }}
{{- end }}
