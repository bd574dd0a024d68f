import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { blocksOf } from '../helpers/pages.js'
import { reader, shell } from '../helpers/processes/reader.js'
import { startSandboxed } from '../helpers/processes/sandboxed.js'

const NAME = 'cxone-data-actions'
const text = expect.any(String)
const number = expect.any(Number)
const task = { id: number, state: 'RUNNING', worker_id: text }
const status = {
  name: NAME,
  type: 'source',
  connector: { state: text, worker_id: text },
  tasks: [task, task, task, task, task],
}
const config = { name: NAME, 'connector.class': 'headgate.Pipeline' }
const levels = { level: text }

/** The response of Kafka Connect to each request, by method and path. */
const SHAPES: { readonly [request: string]: unknown } = {
  'GET /': { version: text, commit: text, kafka_cluster_id: null },
  'GET /connectors?expand=status&expand=info': {
    [NAME]: { status, info: { name: NAME, type: 'source', config, tasks: expect.any(Array) } },
  },
  'GET /connectors/orders/status': status,
  'GET /connectors/orders/config': config,
  'GET /connectors/orders/offsets': { offsets: expect.any(Array) },
  'GET /connectors/orders/topics': { [NAME]: { topics: expect.arrayContaining([text]) } },
  'GET /connector-plugins?connectorsOnly=false': expect.arrayContaining([
    { class: text, type: text, version: text },
  ]),
  'PUT /connectors/orders/pause': undefined,
  'PUT /connectors/orders/resume': undefined,
  'POST /connectors/orders/restart?includeTasks=true&onlyFailed=true': status,
  'POST /connectors/orders/tasks/2/restart': undefined,
  'PUT /connector-plugins/route/config/validate': {
    name: text,
    error_count: number,
    groups: expect.any(Array),
    configs: expect.arrayContaining([
      expect.objectContaining({
        definition: expect.objectContaining({ name: text, type: text, required: expect.any(Boolean) }),
        value: expect.objectContaining({
          name: text,
          recommended_values: expect.any(Array),
          errors: expect.any(Array),
        }),
      }),
    ]),
  },
  'PATCH /connectors/orders/config': { name: NAME, config: { ...config, maxPending: '50000' } },
  'GET /admin/loggers': { root: levels },
  'PUT /admin/loggers/orders': expect.arrayContaining([NAME, `${NAME}.sink.kafka`]),
}

/** The commands of the page, in its order, without the block that starts a Headgate with tokens. */
const commands = blocksOf('docs/connect-rest.md')
  .filter(({ language, text }) => language === 'sh' && !text.includes('headgate run'))
  .flatMap(({ text }) =>
    text
      .replaceAll(/ \\\n */g, ' ')
      .trim()
      .split('\n'),
  )

const requestOf = (command: string): string => {
  const { method = 'GET' } = /-X (?<method>[A-Z]+)/.exec(command)?.groups ?? {}
  const { path = '' } = /http:\/\/127\.0\.0\.1:8083(?<path>[^'\s]*)/.exec(command)?.groups ?? {}
  return `${method} ${path}`
}

test('every request of the page is answered in the shape that Kafka Connect gives it', async () => {
  expect(commands.map(requestOf).toSorted()).toEqual(Object.keys(SHAPES).toSorted())
  const cwd = reader(onTestFinished)
  const { headgate } = await startSandboxed(builtFile('cli.js'), join(cwd, 'plugins.config.json'), {
    HEADGATE_CONFIG_WRITABLE: 'true',
  })
  const { origin } = new URL(headgate.admin)
  for (const command of commands) {
    const script = command
      .replace('http://127.0.0.1:8083', origin)
      .replaceAll(/(?<=connectors|loggers)\/orders/g, `/${NAME}`)
    const { code, out, output } = await shell(script, cwd, {}).ended
    expect({ command, code, output }).toEqual({ command, code: 0, output: expect.any(String) })
    const response: unknown = out.trim() === '' ? undefined : JSON.parse(out)
    const shape = SHAPES[requestOf(command)]
    if (shape === undefined) expect({ command, response }).toEqual({ command, response: undefined })
    else expect({ command, response }).toMatchObject({ command, response: shape })
  }
  expect(readFileSync(join(cwd, 'plugins.config.json'), 'utf8')).toContain('"maxPending": 50000')
})
