{{- define "headgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "headgate.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "headgate.labels" -}}
{{ include "headgate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* The Pod that the Services lead to: one of its own, or the broker's. */}}
{{- define "headgate.podSelector" -}}
{{- if .Values.sidecar.enabled -}}
{{- toYaml .Values.sidecar.podSelector -}}
{{- else -}}
{{- include "headgate.selectorLabels" . -}}
{{- end -}}
{{- end -}}

{{- define "headgate.configMap" -}}
{{- .Values.config.existingConfigMap | default (printf "%s-config" (include "headgate.fullname" .)) -}}
{{- end -}}

{{- /* A number of a values file is a float, which Go would write as 1e+06. */}}
{{- define "headgate.text" -}}
{{- kindIs "float64" . | ternary (int64 .) . | toString | quote -}}
{{- end -}}

{{- define "headgate.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "headgate.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- /* The container. In the Pod of a broker its volumes have other names, it has no readiness probe, and says more itself. */}}
{{- define "headgate.container" -}}
{{- $prefix := .Values.sidecar.enabled | ternary "headgate-" "" -}}
name: headgate
image: {{ include "headgate.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [run]
env:
  - name: HEADGATE_CONFIG
    value: /etc/headgate/plugins.config.json
  - name: HEADGATE_STATE_DIR
    value: /var/lib/headgate
  - name: HEADGATE_HOST
    value: 0.0.0.0
  # 127.0.0.1 by default, which neither the kubelet nor Prometheus reaches.
  - name: HEADGATE_ADMIN_HOST
    value: 0.0.0.0
  # Beyond loopback a token is asked for, except for the paths of probes and Prometheus.
  - name: HEADGATE_ADMIN_TOKEN_FILE
    value: /run/secrets/headgate/ADMIN_TOKEN
  {{- if .Values.sidecar.enabled }}
  # A Service "headgate" sets it to tcp://... in Pods that have enableServiceLinks.
  - name: HEADGATE_PORT
    value: "8080"
  {{- end }}
  {{- range $name, $value := .Values.settings }}
  - name: {{ $name }}
    value: {{ include "headgate.text" $value }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
envFrom:
  - configMapRef:
      name: {{ include "headgate.fullname" . }}-environment
ports:
  - name: intake
    containerPort: 8080
  - name: admin
    containerPort: 8083
# Up as soon as the process is, also while the ledger recovers from Kafka. Restarting does not bring a broker back.
livenessProbe:
  httpGet:
    path: /health
    port: admin
    {{- if .Values.settings.HEADGATE_ADMIN_TLS_CERT }}
    # The kubelet does not check the certificate.
    scheme: HTTPS
    {{- end }}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
{{- if .Values.instances.enabled }}
# Until no load balancer leads to the Pod any more, it goes on taking events in.
lifecycle:
  preStop:
    sleep:
      seconds: {{ .Values.instances.stopDelaySeconds }}
{{- end }}
{{- if not .Values.sidecar.enabled }}
readinessProbe:
  httpGet:
    path: /ready
    port: admin
    {{- if .Values.settings.HEADGATE_ADMIN_TLS_CERT }}
    # The kubelet does not check the certificate.
    scheme: HTTPS
    {{- end }}
  periodSeconds: 5
  timeoutSeconds: 3
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- if .Values.sidecar.enabled }}
  {{- include "headgate.podSecurityContext" . | nindent 2 }}
  {{- end }}
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  # The whole folder, never subPath: such a file stays as it was when the Pod started.
  - name: {{ $prefix }}config
    mountPath: /etc/headgate
    readOnly: true
  - name: {{ $prefix }}secrets
    mountPath: /run/secrets/headgate
    readOnly: true
  - name: {{ $prefix }}state
    mountPath: /var/lib/headgate
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "headgate.volumes" -}}
{{- $prefix := .Values.sidecar.enabled | ternary "headgate-" "" -}}
- name: {{ $prefix }}config
  configMap:
    name: {{ include "headgate.configMap" . }}
- name: {{ $prefix }}secrets
  secret:
    secretName: {{ .Values.existingSecret }}
    {{- if not .Values.sidecar.enabled }}
    defaultMode: 288 # 0440, for the group of the Pod
    {{- end }}
{{- if or .Values.sidecar.enabled .Values.instances.enabled (not .Values.persistence.enabled) }}
- name: {{ $prefix }}state
  emptyDir:
    sizeLimit: {{ .Values.persistence.size }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
