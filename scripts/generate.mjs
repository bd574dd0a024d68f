// Writes what is made from the code: editor schemas, references, and the files that pages quote. A test fails when they
// are stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'jsonc-parser'
import { loadCommands } from '../build/src/commands/index.js'
import { editorSchema } from '../build/src/config/editor-schema.js'
import { plugins } from '../build/src/plugins/index.js'
import { readingFailures, recordFailures } from '../build/src/plugins/sink/kafka/failures.js'
import { SENDERS } from '../build/src/plugins/source/http-webhook/senders/index.js'
import { SETTINGS } from '../build/src/process/settings.js'
import { scenarioSchema } from '../build/src/scenarios/format.js'
import { chartReadme } from '../build/tools/docs/chart-readme.js'
import { configReference } from '../build/tools/docs/config-reference.js'
import { errorReference } from '../build/tools/docs/error-reference.js'
import { lintReference } from '../build/tools/docs/lint-reference.js'
import { manPage } from '../build/tools/docs/man-page.js'
import { declaredMetrics, metricReference } from '../build/tools/docs/metric-reference.js'
import { dashboard } from '../build/tools/docs/monitoring/dashboard.js'
import { PRODUCTION } from '../build/tools/docs/monitoring/pace.js'
import { rows } from '../build/tools/docs/monitoring/rows.js'
import { prometheusRule, rulesFile } from '../build/tools/docs/monitoring/rules-file.js'
import { pluginApiReference } from '../build/tools/docs/plugin-api.js'
import { withQuotedFiles } from '../build/tools/docs/quoted-files.js'
import { senderPart, sendersTable, withGenerated } from '../build/tools/docs/sender-page.js'

const file = (path) => new URL(`../${path}`, import.meta.url)
const read = (path) => readFileSync(file(path), 'utf8')
const write = (path, text) => writeFileSync(file(path), text)

const shipped = read('plugins.config.json')

write(
  'schemas/plugins.config.schema.json',
  `${JSON.stringify(editorSchema(plugins, parse(shipped)), undefined, 2)}\n`,
)
write('schemas/scenarios.schema.json', `${JSON.stringify(scenarioSchema(), undefined, 2)}\n`)
write('docs/errors.md', errorReference({ record: recordFailures, reading: readingFailures }))
write('docs/lint.md', lintReference(plugins))
const comingFrom = ['redpanda-connect', 'vector', 'kafka-connect'].map(
  (name) => `docs/coming-from/${name}.md`,
)
for (const page of ['README.md', 'docs/cookbook.md', 'docs/writing-a-plugin.md', ...comingFrom])
  write(page, withQuotedFiles(read(page), read))
write('docs/senders.md', withGenerated(read('docs/senders.md'), sendersTable()))
for (const sender of SENDERS) {
  const page = `docs/senders/${sender.name}.md`
  write(page, withGenerated(read(page), senderPart(sender)))
}
write('docs/plugin-api.md', pluginApiReference())
write('docs/config.md', configReference(plugins, SETTINGS, shipped))
write('docs/headgate.1', manPage(await loadCommands(), JSON.parse(read('package.json'))))
write('docs/metrics.md', metricReference(declaredMetrics(plugins)))
write('deploy/grafana/headgate.json', `${JSON.stringify(dashboard(rows), undefined, 2)}\n`)
write('deploy/prometheus/headgate.rules.yaml', rulesFile(PRODUCTION))
write('deploy/kubernetes/monitoring/prometheusrule.yaml', prometheusRule(PRODUCTION))
// A component of kustomize reads no file outside its folder, and compose mounts one folder: copies.
write('deploy/kubernetes/monitoring/headgate.json', read('deploy/grafana/headgate.json'))
for (const path of ['plugins.config.json', 'schemas/cxone-data-action.schema.json'])
  write(`deploy/config/${path}`, read(path))
// A chart reads no file outside its folder either.
const CHART = 'deploy/helm/headgate'
write(`${CHART}/README.md`, chartReadme(read(`${CHART}/values.yaml`)))
write(`${CHART}/files/monitoring/headgate.rules.yaml`, rulesFile(PRODUCTION))
write(`${CHART}/files/monitoring/headgate.json`, read('deploy/grafana/headgate.json'))
for (const name of ['plugins.config.json', 'cxone-data-action.schema.json'])
  write(`${CHART}/files/config/${name}`, read(`deploy/kubernetes/config/${name}`))
