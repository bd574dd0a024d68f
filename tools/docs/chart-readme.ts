import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml'

interface Value {
  readonly path: string
  readonly preset: string
  readonly meaning: string
}

/** The README of the Helm chart, from its values file: each value with its default and the comment above it. */
export function chartReadme(valuesFile: string): string {
  const { contents } = parseDocument(valuesFile)
  if (!isMap(contents)) throw new TypeError('The values of the chart are no map.')
  const rows = valuesIn(contents, '').map(
    ({ path, preset, meaning }) => `| \`${path}\` | \`${preset}\` | ${meaning.replaceAll('|', '\\|')} |`,
  )
  return `${INTRODUCTION}\n## Values\n\n| value | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

const INTRODUCTION = `# The Helm chart of Headgate

Generated from \`values.yaml\`; change it there. [docs/operations.md](../../../docs/operations.md#kubernetes) says more about Headgate on
Kubernetes, and has the same for kustomize.

\`\`\`sh
kubectl create namespace headgate
kubectl create secret generic headgate --namespace headgate \\
  --from-literal=WEBHOOK_TOKEN=... --from-literal=CXONE_CLIENT_ID=... --from-literal=CXONE_CLIENT_SECRET=... \\
  --from-literal=ADMIN_TOKEN="$(openssl rand -hex 32)"
helm install headgate deploy/helm/headgate --namespace headgate \\
  --set image.repository=images.example.com/headgate --set environment.KAFKA_BROKERS='kafka-1:9092\\,kafka-2:9092' \\
  --set-file 'config.files.plugins\\.config\\.json=plugins.config.json'
\`\`\`

By default it needs nothing that a plain cluster lacks. Everything of the Prometheus Operator and of the Gateway API is off until a
value asks for it. With \`sidecar.enabled=true\`, Headgate runs in the Pod of a broker: the ConfigMap \`headgate-sidecar\` then has a patch
for the StatefulSet of the broker.
`

/** A map in which no key has a comment is one value: its keys are the user's. */
function valuesIn(map: YAMLMap, parent: string): Value[] {
  return map.items.flatMap((item, at) => {
    const { key, value } = item as Pair
    if (!isScalar(key)) return []
    // YAML takes the comment above the first key for one of the map.
    const comment = key.commentBefore ?? (at === 0 ? map.commentBefore : undefined)
    const path = parent === '' ? String(key.value) : `${parent}.${key.value}`
    if (isMap(value) && hasComments(value)) return valuesIn(value, path)
    return [{ path, preset: presetOf(value), meaning: textOf(comment) }]
  })
}

const hasComments = (map: YAMLMap): boolean =>
  map.commentBefore != null ||
  map.items.some(
    ({ key, value }) => (isScalar(key) && key.commentBefore != null) || (isMap(value) && hasComments(value)),
  )

const textOf = (comment: string | null | undefined): string =>
  (comment ?? '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim()

const presetOf = (value: unknown): string =>
  value !== null && typeof value === 'object' && 'toJSON' in value
    ? JSON.stringify((value as { toJSON(): unknown }).toJSON())
    : JSON.stringify(value)
