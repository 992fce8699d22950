{{- define "capacity.disk" -}}
ebs:
  volumeType: gp3
  volumeSize: {{ . }}Gi
  encrypted: true
  deleteOnTermination: true
{{- end }}
