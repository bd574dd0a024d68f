import { expect, onTestFinished, test } from 'vitest'
import { prepareRequests } from '../../../bench/load/requests.js'
import { PAYLOADS } from '../../../bench/measure/measure.js'
import { FILE, SOURCES } from '../../../bench/measure/sources.js'
import { ownConfig } from '../../../bench/programs/own-config.js'
import { formatProblem } from '../../../src/config/problem.js'
import { readConfig } from '../../../src/config/read.js'
import { DryRun } from '../../../src/dry-run/dry-run.js'
import { plugins } from '../../../src/plugins/index.js'

const TOKEN = 'test-webhook-token'
const environment = {
  WEBHOOK_TOKEN: TOKEN,
  KAFKA_BROKERS: '127.0.0.1:9',
  CXONE_BASE_URL: 'http://127.0.0.1:9',
  CXONE_CLIENT_ID: 'id',
  CXONE_CLIENT_SECRET: 'test-client-secret',
}

const ROUTES = ['high-priority', 'eu-west', 'otherwise']

test.each(SOURCES)(
  'the source "$name" takes the requests that are made for it',
  async ({ requests, changes }) => {
    const { config, remove } = ownConfig(FILE, changes)
    onTestFinished(remove)
    const read = readConfig(config, { plugins, environment, exposed: false, cwd: process.cwd() })
    if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'))
    const dryRun = new DryRun(read.config)
    const load = { ports: [], paths: ['/'], bodyBytes: 1024, seconds: 1, connections: 1, name: 'run0' }
    const made = prepareRequests({ ...load, token: TOKEN, payloads: PAYLOADS, requests }, 0)

    for (const [number, route] of ROUTES.entries()) {
      const { headers, body } = requestOf(made.next(number))
      const result = await dryRun.run(dryRun.pipelines[0] ?? '', { headers, body })
      const items = result.items ?? [result]
      expect(items.map(({ outcome }) => outcome.kind)).toEqual(
        Array(requests === 'batch' ? 10 : 1).fill('delivered'),
      )
      expect(items[0]).toMatchObject({ route, records: [{ deadLetter: false }], calls: [{ method: 'POST' }] })
    }
  },
)

function requestOf(bytes: Buffer) {
  const end = bytes.indexOf('\r\n\r\n')
  const [, ...lines] = bytes.subarray(0, end).toString().split('\r\n')
  const headers = lines.map((line) => line.split(': ') as [string, string])
  return { headers: Object.fromEntries(headers), body: bytes.subarray(end + 4) }
}
