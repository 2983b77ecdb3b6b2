{{/* What each role may be given; privacy/checks.py says the same at its start. */}}
{{- define "sitter.allowed" -}}
web: [root]
intake: [fleet]
gpu: [fleet]
upkeep: [receipt]
keeper: [root, evidence]
courier: [grant]
beat: []
flower: []
migrator: []
{{- end }}

{{/* Refuses what crosses a compartment, also where the schema was not asked. */}}
{{- define "sitter.check" -}}
{{- $allowed := fromYaml (include "sitter.allowed" .) }}
{{- $secrets := dict }}
{{- range $role, $given := .Values.roles }}
{{- if and (dig "keys" "root" false $given) (dig "keys" "fleet" false $given) }}
{{- fail "Fleet seeds and the portrait root may not be in one role: it could open every photo and every portrait." }}
{{- end }}
{{- range $sort, $on := $given.keys }}
{{- if and $on (not (has $sort (get $allowed $role))) }}
{{- fail (printf "The role %s may not be given %s keys." $role $sort) }}
{{- end }}
{{- end }}
{{- if hasKey $secrets $given.secret }}
{{- fail (printf "The roles %s and %s share the Secret %s; each role needs its own." (get $secrets $given.secret) $role $given.secret) }}
{{- end }}
{{- $_ := set $secrets $given.secret $role }}
{{- end }}
{{- $arns := dict }}
{{- range $role, $given := .Values.roles }}
{{- with get $given.annotations "eks.amazonaws.com/role-arn" }}
{{- if hasKey $arns . }}
{{- fail (printf "The roles %s and %s share one identity in AWS; each role needs its own." (get $arns .) $role) }}
{{- end }}
{{- $_ := set $arns . $role }}
{{- end }}
{{- end }}
{{- end }}

{{- define "sitter.labels" -}}
app.kubernetes.io/name: sitter
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "sitter.name" -}}
{{ .root.Release.Name }}-{{ .role }}
{{- end }}

{{/* The intake's, the gpu worker's, or the web's image. */}}
{{- define "sitter.image" -}}
{{- $which := has .role (list "intake" "gpu") | ternary .role "web" }}
{{- $image := .root.Values.image }}
{{- $digest := get $image.digests $which }}
{{- if $digest -}}
{{ $image.registry }}/sitter-{{ $which }}@{{ $digest }}
{{- else -}}
{{ $image.registry }}/sitter-{{ $which }}:{{ $image.tag }}
{{- end }}
{{- end }}

{{- define "sitter.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
capabilities: {drop: [ALL]}
{{- end }}

{{- define "sitter.pod.security" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
{{- if eq .role "intake" }}
  {{- toYaml .root.Values.roles.intake.seccompProfile | nindent 2 }}
{{- else }}
  type: RuntimeDefault
{{- end }}
{{- end }}

{{/* Settings of one role. Values of secrets are not among them: they come as files. */}}
{{- define "sitter.env" -}}
- {name: SITTER_ROLE, value: {{ .role | quote }}}
- {name: SITTER_PRODUCTION, value: "true"}
- {name: SITTER_SECRETS_FOLDER, value: /run/secrets/sitter}
{{- range $sort, $on := .given.keys }}
{{- if $on }}
- {name: SITTER_{{ upper $sort }}_KEYS, value: {{ get $.root.Values.keys $sort | quote }}}
{{- end }}
{{- end }}
{{- if eq .role "web" }}
- {name: SITTER_ALLOWED_HOSTS, value: {{ append .root.Values.web.hosts (include "sitter.name" .) | toJson | quote }}}
- {name: SITTER_FLOWER_ADDRESS, value: {{ printf "%s-flower:5555" .root.Release.Name | quote }}}
{{- else if eq .role "intake" }}
- {name: SITTER_SANDBOX_STRICT, value: "true"}
{{- else if eq .role "upkeep" }}
- {name: SITTER_WEB_URL, value: {{ printf "http://%s-web:8000" .root.Release.Name | quote }}}
{{- else if eq .role "gpu" }}
- {name: SITTER_DRAIN_SECONDS, value: {{ add .root.Values.jobs.longestSeconds 20 | quote }}}
- {name: SITTER_ITEM_LIMIT_SECONDS, value: {{ .root.Values.jobs.longestSeconds | quote }}}
- {name: SITTER_C2PA_KEYS, value: /keys/c2pa}
{{- end }}
{{- range $name, $value := .given.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "sitter.mounts" -}}
- {name: secrets, mountPath: /run/secrets/sitter, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if eq .role "gpu" }}
- {name: weights, mountPath: /weights, readOnly: true}
- {name: compiled, mountPath: /compiled}
- {name: c2pa, mountPath: /keys/c2pa, readOnly: true}
{{- end }}
{{- end }}

{{- define "sitter.volumes" -}}
- name: secrets
  secret: {secretName: {{ .given.secret }}, defaultMode: 0440}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: {{ eq .role "gpu" | ternary "1Gi" "64Mi" }}}
{{- if eq .role "gpu" }}
- name: weights
  persistentVolumeClaim: {claimName: {{ .given.weightsClaim }}, readOnly: true}
- name: compiled
  emptyDir: {sizeLimit: 8Gi}
- name: c2pa
  secret: {secretName: {{ .given.c2paSecret }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{/* What the image runs when it is told nothing is the web, the intake or the gpu worker. */}}
{{- define "sitter.args" -}}
{{- if eq .role "upkeep" }}
{{- include "sitter.worker" (dict "queue" "upkeep" "threads" 2) }}
{{- else if eq .role "keeper" }}
{{- include "sitter.worker" (dict "queue" "keeper" "threads" 1) }}
{{- else if eq .role "courier" }}
{{- include "sitter.worker" (dict "queue" "courier" "threads" 4) }}
{{- else if eq .role "beat" }}
args: [celery, -A, workers.app, beat, -s, /tmp/schedule, "--pidfile="]
{{- else if eq .role "flower" }}
args: [deploy.flower, --conf=/run/secrets/sitter/flowerconfig.py, --address=0.0.0.0, --port=5555]
{{- end }}
{{- end }}

{{- define "sitter.worker" -}}
args: [celery, -A, workers.app, worker, -Q, {{ .queue }}, -P, threads, -c, {{ .threads | quote }}, -E, --without-gossip, --without-mingle, --include, deploy.stack.announce]
{{- end }}

{{/* /readyz says what is missing; a worker is ready when it has said so, and ends itself when it
hangs. A probe that asked the broker would end all of them whenever the broker is away. */}}
{{- define "sitter.probes" -}}
{{- if eq .role "web" }}
{{- $host := index .root.Values.web.hosts 0 }}
startupProbe:
  httpGet: {path: /livez, port: http, httpHeaders: [{name: Host, value: {{ $host | quote }}}]}
  failureThreshold: 30
  periodSeconds: 2
readinessProbe:
  httpGet: {path: /readyz, port: http, httpHeaders: [{name: Host, value: {{ $host | quote }}}]}
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  httpGet: {path: /livez, port: http, httpHeaders: [{name: Host, value: {{ $host | quote }}}]}
  periodSeconds: 10
  timeoutSeconds: 5
{{- else if eq .role "flower" }}
readinessProbe:
  tcpSocket: {port: http}
livenessProbe:
  tcpSocket: {port: http}
{{- else if eq .role "beat" }}
readinessProbe:
  exec: {command: [test, -s, /tmp/schedule]}
livenessProbe:
  exec: {command: [test, -s, /tmp/schedule]}
  initialDelaySeconds: 60
{{- else }}
startupProbe:
  exec: {command: [python, -m, deploy.alive, worker]}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ eq .role "gpu" | ternary 180 24 }}
readinessProbe:
  exec: {command: [python, -m, deploy.alive, worker]}
  periodSeconds: 15
  timeoutSeconds: 5
livenessProbe:
  exec: {command: [python, -m, deploy.alive, worker]}
  periodSeconds: 30
  timeoutSeconds: 5
{{- end }}
{{- end }}
