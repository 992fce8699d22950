{{- define "models.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .release }}
{{- end }}

{{- define "models.placement" }}
nodeSelector:
  agentic-eks/kind: {{ .server.kind }}
  kubernetes.io/arch: {{ .server.architecture }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - key: agentic-eks/pool
              operator: In
              values: {{- toYaml .server.pools | nindent 16 }}
{{- with .server.device }}
tolerations:
  - { key: {{ . }}, operator: Exists, effect: NoSchedule }
{{- end }}
{{- end }}

{{- define "models.containerSecurity" }}
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
readOnlyRootFilesystem: true
{{- end }}

{{- /* Brings files below an S3 prefix into a directory, and checks the hash of each. */}}
{{- define "models.loader" }}
- name: {{ .name }}
  image: {{ .values.images.loader | quote }}
  command: [python, -m, tasks.weights.load]
  args: {{- toYaml .arguments | nindent 4 }}
  env:
    - { name: AWS_REGION, value: {{ .values.region | quote }} }
    - { name: HOME, value: /tmp }
  resources: {{- toYaml .values.loader.resources | nindent 4 }}
  volumeMounts:
    - { name: {{ .volume }}, mountPath: /{{ .volume }} }
    - { name: scratch, mountPath: /tmp }
  securityContext: {{- include "models.containerSecurity" . | nindent 4 }}
{{- end }}

{{- /* vLLM with its arguments; `entry` is the module that it runs. */}}
{{- define "models.program" }}
image: "{{ .image.repository }}:{{ .image.tag }}{{ with .image.digest }}@{{ . }}{{ end }}"
env:
  - { name: HOME, value: /tmp }
  - { name: HF_HUB_OFFLINE, value: "1" }
  - { name: VLLM_NO_USAGE_STATS, value: "1" }
  - { name: VLLM_CACHE_ROOT, value: /tmp/vllm }
  {{- if .server.compiled }}
  - { name: VLLM_NEURON_FRAMEWORK, value: neuronx-distributed-inference }
  - { name: NEURON_COMPILED_ARTIFACTS, value: /compiled }
  - { name: NEURON_RT_NUM_CORES, value: {{ .server.compiled.cores | quote }} }
  {{- end }}
{{- $resources := dict "cpu" (print .server.cpus) "memory" (print .server.memoryGib "Gi") .server.device (print .server.accelerators) }}
resources:
  requests: {{- toYaml $resources | nindent 4 }}
  limits: {{- toYaml $resources | nindent 4 }}
volumeMounts:
  - { name: weights, mountPath: /weights, readOnly: true }
  - { name: scratch, mountPath: /tmp }
  - { name: shared-memory, mountPath: /dev/shm }
  {{- if .server.compiled }}
  - { name: compiled, mountPath: /compiled }
  {{- end }}
securityContext: {{- include "models.containerSecurity" . | nindent 2 }}
{{- end }}

{{- define "models.volumes" }}
- { name: weights, emptyDir: {} }
- { name: scratch, emptyDir: {} }
- { name: shared-memory, emptyDir: { medium: Memory, sizeLimit: {{ .values.sharedMemoryGib }}Gi } }
{{- if .server.compiled }}
- { name: compiled, emptyDir: {} }
{{- end }}
{{- end }}
