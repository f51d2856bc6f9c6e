{{- define "lambert.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "lambert.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "lambert.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "lambert.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "lambert.selectorLabels" -}}
app.kubernetes.io/name: {{ include "lambert.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lambert.labels" -}}
{{ include "lambert.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "lambert.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "lambert.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "lambert.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* Where the model comes from: "image", "hub", "s3", "https" or "volume". */}}
{{- define "lambert.modelSource" -}}
{{- $uri := .Values.model.uri }}
{{- if not $uri }}image
{{- else if hasPrefix "hf://" $uri }}hub
{{- else if hasPrefix "s3://" $uri }}s3
{{- else if hasPrefix "https://" $uri }}https
{{- else }}volume
{{- end }}
{{- end }}

{{- /* Seconds before SIGTERM, or 0 where the cluster does not know preStop.sleep. */}}
{{- define "lambert.preStopSleep" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}{{ int .Values.preStopSleep }}{{ else }}0{{ end }}
{{- end }}

{{- /* The grace period counts from before preStop; 15 s are for a body that is still arriving, and its reply. */}}
{{- define "lambert.gracePeriod" -}}
{{- add (include "lambert.preStopSleep" . | int) (int .Values.server.requestTimeout) 15 }}
{{- end }}

{{- define "lambert.env" -}}
{{- with .Values.server -}}
- name: LAMBERT_HOST
  value: {{ .host | quote }}
- name: LAMBERT_PORT
  value: {{ int .port | quote }}
- name: LAMBERT_THREADS
  value: {{ int .threads | quote }}
- name: LAMBERT_CONCURRENCY
  value: {{ int .concurrency | quote }}
- name: LAMBERT_MAX_QUEUE
  value: {{ int .maxQueue | quote }}
- name: LAMBERT_MAX_WAIT
  value: {{ int .maxWait | quote }}
- name: LAMBERT_REQUEST_TIMEOUT
  value: {{ int .requestTimeout | quote }}
- name: LAMBERT_MAX_BODY
  value: {{ int64 .maxBody | quote }}
- name: LAMBERT_MAX_WINDOWS
  value: {{ int .maxWindows | quote }}
- name: LAMBERT_MAX_CONNECTIONS
  value: {{ int .maxConnections | quote }}
- name: LAMBERT_LOG_FORMAT
  value: {{ .logFormat | quote }}
{{- if .corsOrigin }}
- name: LAMBERT_CORS_ORIGIN
  value: {{ .corsOrigin | quote }}
{{- end }}
{{- end }}
- name: LAMBERT_PRECISION
  value: {{ .Values.model.precision | quote }}
{{- if .Values.model.uri }}
- name: LAMBERT_MODEL
  value: {{ .Values.model.uri | quote }}
{{- end }}
{{- if eq (include "lambert.modelSource" .) "hub" }}
- name: HF_HOME
  value: /cache/huggingface
{{- end }}
{{- if .Values.apiKeys.existingSecret }}
- name: LAMBERT_API_KEYS
  value: /etc/lambert/api-keys
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
