{{- define "agentidp.operator" -}}
{{ .Values.operator.serviceAccount.name | default (printf "%s-operator" .Release.Name) }}
{{- end }}

{{- define "agentidp.tokenService" -}}
{{ .Values.tokenService.serviceAccount.name | default (printf "%s-token-service" .Release.Name) }}
{{- end }}

{{- define "agentidp.managementApi" -}}
{{ .Values.managementApi.serviceAccount.name | default (printf "%s-management-api" .Release.Name) }}
{{- end }}

{{- define "agentidp.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* What finds the pods of one program: list $ "operator". It never changes, because selectors cannot. */ -}}
{{- define "agentidp.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "agentidp.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- /* Where the token service answers inside the cluster. */ -}}
{{- define "agentidp.tokenService.url" -}}
{{- $port := int .Values.tokenService.service.port -}}
http://{{ .Release.Name }}-token-service.{{ .Release.Namespace }}.svc{{ if ne $port 80 }}:{{ $port }}{{ end }}
{{- end }}

{{- /* Every replica of it, by an address each. */ -}}
{{- define "agentidp.tokenService.replicas" -}}
http://{{ .Release.Name }}-token-service-replicas.{{ .Release.Namespace }}.svc:8080
{{- end }}

{{- /* The URL of whatever leads to the programs from outside, or nothing. */ -}}
{{- define "agentidp.publicUrl" -}}
{{- if .Values.ingress.enabled -}}
{{ ternary "https" "http" (or .Values.tls.certManager.enabled (ne .Values.tls.secretName "")) }}://{{ .Values.ingress.host }}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
https://{{ first .Values.httpRoute.hostnames }}
{{- end -}}
{{- end }}

{{- define "agentidp.issuer" -}}
{{ .Values.issuer | default (include "agentidp.publicUrl" .) | default (include "agentidp.tokenService.url" .) }}
{{- end }}

{{- define "agentidp.tls.secretName" -}}
{{ .Values.tls.secretName | default (printf "%s-tls" .Release.Name) }}
{{- end }}

{{- /* A duration such as 1h30m in seconds. */ -}}
{{- define "agentidp.seconds" -}}
{{- $seconds := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $unit := get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]" .) -}}
{{- $seconds = add $seconds (mul (atoi (regexFind "[0-9]+" .)) $unit) -}}
{{- end -}}
{{ $seconds }}
{{- end }}

{{- /* Fails where resource servers may keep a key set for longer than the next key is published before it signs. */ -}}
{{- define "agentidp.requireKeysPublishedInTime" -}}
{{- $ahead := include "agentidp.seconds" .Values.operator.settings.signingKeyPublishedAhead | atoi -}}
{{- if le $ahead (int .Values.tokenService.settings.jwksMaxAgeSeconds) -}}
{{- fail "operator.settings.signingKeyPublishedAhead must be longer than tokenService.settings.jwksMaxAgeSeconds: resource servers reject tokens of a key that is not in the key set that they keep." -}}
{{- end -}}
{{- end }}
