{{- /* What the pods of all programs have in common: list $ (values of the program) "component" "service account". */ -}}
{{- define "agentidp.pod" -}}
{{- $root := index . 0 -}}
{{- $program := index . 1 -}}
{{- $selector := include "agentidp.selector" (list $root (index . 2)) -}}
serviceAccountName: {{ index . 3 }}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with $program.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $program.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $program.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $program.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- $selector | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 16Mi}
{{- end }}

{{- /* What the containers of all programs have in common: list $ (values of the program) "console script". */ -}}
{{- define "agentidp.container" -}}
{{- $root := index . 0 -}}
{{- $program := index . 1 -}}
image: {{ include "agentidp.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
command: [{{ index . 2 }}]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources: {{- toYaml $program.resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- end }}

{{- /* Settings as environment variables: `hashingThreads: 2` is AGENTIDP_HASHING_THREADS. An empty one is left to the program. */ -}}
{{- define "agentidp.settings" -}}
{{- range $name, $value := . }}
{{- if ne (toString $value) "" }}
- name: AGENTIDP_{{ $name | snakecase | upper }}
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The way to the collector of traces, where there is one: list $ "its URL". */ -}}
{{- define "agentidp.egressOfTraces" -}}
{{- $policies := (index . 0).Values.networkPolicies -}}
{{- with index . 1 -}}
{{- $url := urlParse . -}}
{{- $port := (eq $url.scheme "https") | ternary "443" "80" -}}
- ports:
    - {port: {{ regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default $port }}, protocol: TCP}
  {{- with $policies.tracesTo }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* What every program is told. */ -}}
{{- define "agentidp.commonSettings" -}}
- name: AGENTIDP_ISSUER
  value: {{ include "agentidp.issuer" . | quote }}
- name: AGENTIDP_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: AGENTIDP_SIGNING_KEYS_SECRET
  value: {{ .Values.signingKeys.secretName | quote }}
- name: AGENTIDP_LOG_LEVEL
  value: {{ .Values.log.level }}
- name: AGENTIDP_LOG_FORMAT
  value: {{ .Values.log.format }}
{{- end }}

{{- /* Where Prometheus finds a program's metrics: list $ "component". Not a port of its Service, which may lead out of the cluster. */ -}}
{{- define "agentidp.metricsService" -}}
{{- $root := index . 0 -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ $root.Release.Name }}-{{ index . 1 }}-metrics
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "agentidp.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ index . 1 }}-metrics
spec:
  clusterIP: None
  selector: {{- include "agentidp.selector" (list $root (index . 1)) | nindent 4 }}
  ports:
    - name: metrics
      port: 8081
      targetPort: metrics
      appProtocol: http
{{- end }}

{{- /* Whoever may scrape a program, at this port of its pods: list $ "port". No rule where nobody may: an empty one is for everybody. */ -}}
{{- define "agentidp.ingressOfMetrics" -}}
{{- $port := index . 1 -}}
{{- with (index . 0).Values.networkPolicies.metricsFrom -}}
- ports:
    - {port: {{ $port }}, protocol: TCP}
  from: {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- /* So many pods may be away at once while nodes are drained: list $ (values of the program) "component". */ -}}
{{- define "agentidp.disruptionBudget" -}}
{{- $root := index . 0 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $root.Release.Name }}-{{ index . 2 }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "agentidp.labels" $root | nindent 4 }}
spec:
  maxUnavailable: {{ (index . 1).podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "agentidp.selector" (list $root (index . 2)) | nindent 6 }}
{{- end }}
