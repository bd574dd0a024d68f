import type { Alert } from './alert.js'
import { alerts } from './alerts.js'
import type { Pace } from './pace.js'
import { type RecordingRule, recordingRules } from './rules.js'

const HEAD = `# Generated from tools/docs/monitoring; change it there and run "npm run generate".
# Every alert has a page in docs/runbooks, and the severity critical or warning.`

/** The rules for Prometheus, as YAML. */
export const rulesFile = (pace: Pace): string => [HEAD, ...groups(pace), ''].join('\n')

/** The same for the Prometheus Operator. */
export const prometheusRule = (pace: Pace): string =>
  [
    HEAD,
    'apiVersion: monitoring.coreos.com/v1',
    'kind: PrometheusRule',
    'metadata:',
    '  name: headgate',
    '  labels:',
    '    app.kubernetes.io/name: headgate',
    'spec:',
    ...groups(pace).map((line) => `  ${line}`),
    '',
  ].join('\n')

function groups(pace: Pace): string[] {
  return [
    'groups:',
    '  - name: headgate-records',
    '    rules:',
    ...recordingRules(pace).flatMap(record),
    '  - name: headgate-alerts',
    '    rules:',
    ...alerts(pace).flatMap(alert),
  ]
}

const record = ({ record, expr }: RecordingRule): string[] => [
  `      - record: ${record}`,
  `        expr: ${quoted(expr)}`,
]

const alert = ({ alert, expr, for: lasting, severity, summary, description }: Alert): string[] => [
  `      - alert: ${alert}`,
  `        expr: ${quoted(expr)}`,
  `        for: ${lasting}`,
  '        labels:',
  `          severity: ${severity}`,
  '        annotations:',
  `          summary: ${quoted(summary)}`,
  `          description: ${quoted(description)}`,
  `          runbook_url: docs/runbooks/${alert}.md`,
]

/** Single quotes: nothing in them means anything to YAML but the quote itself. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
