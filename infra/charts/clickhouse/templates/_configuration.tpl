{{- /* https://clickhouse.com/docs/operations/configuration-files; laid over the image's own config.xml. */}}
{{- define "clickhouse.configuration" -}}
timezone: UTC
mlock_executable: false
logger:
  console: 1
  level: information
  log: { "@remove": remove }
  errorlog: { "@remove": remove }
# What other replicas fetch parts from.
interserver_http_host: { "@from_env": NODE_ADDRESS }
interserver_http_credentials:
  user: replica
  password: { "@from_env": CLICKHOUSE_PASSWORD }
macros:
  shard: "1"
  replica: { "@from_env": NODE_NAME }
# Langfuse makes its tables on this cluster, whatever its size.
remote_servers:
  "@replace": replace
  default:
    secret: { "@from_env": CLICKHOUSE_PASSWORD }
    shard:
      internal_replication: true
      replica:
      {{- range $number := untilStep 1 (int (add1 .Values.replicas)) 1 }}
        - host: {{ include "clickhouse.node" (dict "number" $number "namespace" $.Release.Namespace) }}
          port: 9000
      {{- end }}
# Keeper, in every replica: they agree among themselves.
keeper_server:
  tcp_port: 9181
  server_id: { "@from_env": NODE_NUMBER }
  log_storage_path: /var/lib/clickhouse/coordination/log
  snapshot_storage_path: /var/lib/clickhouse/coordination/snapshots
  coordination_settings:
    operation_timeout_ms: 10000
    session_timeout_ms: 30000
  raft_configuration:
    server:
    {{- range $number := untilStep 1 (int (add1 .Values.replicas)) 1 }}
      - id: {{ $number }}
        hostname: {{ include "clickhouse.node" (dict "number" $number "namespace" $.Release.Namespace) }}
        port: 9234
    {{- end }}
zookeeper:
  node:
  {{- range $number := untilStep 1 (int (add1 .Values.replicas)) 1 }}
    - host: {{ include "clickhouse.node" (dict "number" $number "namespace" $.Release.Namespace) }}
      port: 9181
  {{- end }}
distributed_ddl: { path: /clickhouse/task_queue/ddl }
prometheus:
  endpoint: /metrics
  port: 9363
  metrics: true
  events: true
  asynchronous_metrics: true
# What it writes about itself grows without end otherwise.
query_log: { ttl: {{ printf "event_date + INTERVAL %d DAY" (int .Values.logDays) }} }
part_log: { ttl: {{ printf "event_date + INTERVAL %d DAY" (int .Values.logDays) }} }
error_log: { ttl: {{ printf "event_date + INTERVAL %d DAY" (int .Values.logDays) }} }
{{- range list "asynchronous_metric_log" "latency_log" "metric_log" "processors_profile_log" "query_metric_log" "query_thread_log" "query_views_log" "text_log" "trace_log" }}
{{ . }}: { "@remove": remove }
{{- end }}
{{- end }}
{{- define "clickhouse.users" -}}
users:
  default:
    "@replace": replace
    password: { "@from_env": CLICKHOUSE_PASSWORD }
    networks: { ip: "::/0" }
    profile: default
    quota: default
{{- end }}
