{{- /* The Pod, as a StatefulSet and a Deployment have it in `template`. */}}
{{- define "headgate.pod" -}}
metadata:
  labels:
    {{- include "headgate.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A process cannot be given another environment: a change of it is a rollout.
    checksum/environment: {{ toJson .Values.environment | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .Values.serviceAccount.name | default (include "headgate.fullname" .) }}
  automountServiceAccountToken: false
  # Otherwise a Service "headgate" sets HEADGATE_PORT=tcp://..., which is the setting of that name.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- include "headgate.podSecurityContext" . | nindent 4 }}
    # The volume of the state directory, and the files of the Secret, are for this group.
    fsGroup: 1000
    fsGroupChangePolicy: OnRootMismatch
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and .Values.instances.enabled .Values.instances.spread.over }}
  topologySpreadConstraints:
    {{- range .Values.instances.spread.over }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: {{ $.Values.instances.spread.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "headgate.selectorLabels" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  containers:
    - {{- include "headgate.container" . | nindent 6 }}
  volumes:
    {{- include "headgate.volumes" . | nindent 4 }}
{{- end -}}
