{{- define "understudy.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "understudy.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "understudy.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "understudy.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "understudy.secret" -}}
{{- default (include "understudy.name" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{- define "understudy.serviceAccount" -}}
{{- default (include "understudy.name" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* The environment that servers and workers share. */}}
{{- define "understudy.environment" -}}
- name: UNDERSTUDY_DATABASE
  valueFrom: {secretKeyRef: {name: {{ include "understudy.secret" . }}, key: database}}
- name: UNDERSTUDY_SECRET
  valueFrom: {secretKeyRef: {name: {{ include "understudy.secret" . }}, key: secret}}
- name: UNDERSTUDY_BLOBS
  value: {{ .Values.blobs.url | quote }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ include "understudy.secret" . }}, key: s3-access-key, optional: true}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ include "understudy.secret" . }}, key: s3-secret-key, optional: true}}
- name: AWS_REGION
  value: {{ .Values.blobs.region | quote }}
{{- if .Values.blobs.endpointUrl }}
- name: AWS_ENDPOINT_URL
  value: {{ .Values.blobs.endpointUrl | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: UNDERSTUDY_{{ upper $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "understudy.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "understudy.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Where Pods run. Call it with the values of the component. */}}
{{- define "understudy.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
