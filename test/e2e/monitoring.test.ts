import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import { describe, expect, test, vi } from 'vitest'
import { type Cxone, type Fault, startCxone } from '../../src/sandbox/cxone.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { type Kafka, startKafka } from '../../src/sandbox/kafka.js'
import { alerts } from '../../tools/docs/monitoring/alerts.js'
import { hastened } from '../../tools/docs/monitoring/pace.js'
import { rulesFile } from '../../tools/docs/monitoring/rules-file.js'
import { temporaryDirectory } from '../helpers/context.js'
import { type AtEnd, sharedByTests } from '../helpers/lasting.js'
import { dataAction, shippedFiles } from '../helpers/pipelines/shipped-config.js'
import { environment } from '../helpers/processes/deployment.js'
import {
  type Prometheus,
  prometheusMissing,
  promtool,
  startPrometheus,
} from '../helpers/processes/prometheus.js'

/** An hour of the rules is fifteen seconds here. */
const PACE = hastened(240, 3)
const TOPICS = ['high', 'eu', 'default', 'dlq'].map((name) => `cxone.data.actions.${name}`)
const MAX_CONNECTIONS = 40
const MAX_BODY_MEMORY = 2 * 1024 * 1024
const TOKEN_LIFETIME = 4

/** Those of an inbox and of TLS, which are not here, and those that no fault from outside brings up in seconds; promtool tries them. */
const NOT_PROVOKED = [
  'HeadgateInboxPartitionsIdle',
  'HeadgateInboxRetentionShort',
  'HeadgateInboxBacklogOld',
  'HeadgateInboxLagGrowing',
  'HeadgateInboxTransactionsAborted',
  'HeadgateNoEvents',
  'HeadgateCertificateExpiring',
  'HeadgateCertificateReloadFailed',
  'HeadgateEventLoopLag',
]
/** Panels of what this Headgate does not have: certificates, workers and an inbox. */
const NOT_SHOWN = [
  'headgate_tls_',
  'headgate_http2_',
  'headgate_worker',
  'headgate_inbox_',
  'headgate_rate_limited_',
]

interface Watched {
  readonly headgate: HeadgateProcess
  readonly kafka: Kafka
  readonly cxone: Cxone
  readonly prometheus: Prometheus
  readonly load: Load
  /** Replaces the config file. */
  write(change: Change): void
}

// biome-ignore lint/suspicious/noExplicitAny: a config as people write it
type Change = (pipeline: any) => void

describe.skipIf(prometheusMissing() !== undefined)(
  'what a real Prometheus makes of Headgate',
  () => {
    test('promtool finds nothing wrong with the rules, and each alert fires in its fault alone', () => {
      promtool('check', 'rules', 'deploy/prometheus/headgate.rules.yaml')
      promtool('test', 'rules', 'deploy/prometheus/headgate.rules.test.yaml')
      promtool('test', 'rules', 'deploy/prometheus/headgate.silence.test.yaml')
    })

    describe('under load and under faults', () => {
      const watched = sharedByTests(start)

      test('no alert fires as long as nothing is wrong, not even while it starts', async () => {
        const { prometheus, load } = watched()
        await vi.waitFor(
          async () => expect(await value(prometheus, 'count_over_time(up[1m])')).toBeGreaterThan(5),
          PATIENCE,
        )
        expect(load.responses.get(200)).toBeGreaterThan(0)
        expect([...load.responses.keys()]).toEqual([200])
        expect(await firing(prometheus, '1m')).toEqual([])
      })

      test('faults of senders, of the config and of CXone bring up their alerts, and every panel has data', async () => {
        const { prometheus, load, write, cxone, headgate } = watched()
        write((pipeline) => {
          pipeline.redelivery = { entries: 200 }
        })
        cxone.script(
          'acknowledge',
          Array.from({ length: 20 }, (): Fault => ({ status: 404 })),
        )
        load.invalid = true
        load.refused = true
        await fires(prometheus, [
          'HeadgateEventsRejected',
          'HeadgateSenderUnauthenticated',
          'HeadgateRedeliveryWindowShort',
          'HeadgateAcknowledgementsGivenUp',
          'HeadgateDeadLetters',
        ])
        // While events still end in every way: later the backlog is full, and none is committed.
        expect(await withoutData(prometheus)).toEqual([])
        expect(await marking(prometheus)).toEqual(['Reloads'])

        write((pipeline) => {
          pipeline.sink.config.brokers = 'nowhere'
        })
        cxone.script('token', failing())
        cxone.revokeTokens()
        const held = holdConnections(headgate.intake)
        await fires(prometheus, [
          'HeadgateConfigReloadFailed',
          'HeadgateConnectionsNearLimit',
          'HeadgateBodyMemoryNearLimit',
          'HeadgateAcknowledgementsFailing',
          'HeadgateTokenExpired',
          'HeadgateLedgerBacklogOld',
          'HeadgateLedgerBacklogGrowing',
          'HeadgateErrorBudgetBurnFast',
          'HeadgateErrorBudgetBurnSlow',
        ])
        held()
      })

      test('alerts end with their faults', async () => {
        const { prometheus, load, write, cxone } = watched()
        cxone.script('token', [])
        write(() => {})
        load.invalid = false
        load.refused = false
        const over = [
          'HeadgateEventsRejected',
          'HeadgateSenderUnauthenticated',
          'HeadgateConfigReloadFailed',
          'HeadgateConnectionsNearLimit',
          'HeadgateBodyMemoryNearLimit',
          'HeadgateAcknowledgementsFailing',
          'HeadgateTokenExpired',
          'HeadgateLedgerBacklogOld',
          'HeadgateDeadLetters',
        ]
        await vi.waitFor(async () => {
          const still = await firing(prometheus)
          expect(over.filter((alert) => still.includes(alert))).toEqual([])
        }, PATIENCE)
      })

      test('a Kafka that stalls, one that is gone, and a Headgate that is gone bring up theirs', async () => {
        const { prometheus, kafka, headgate } = watched()
        process.kill(kafka.pid, 'SIGSTOP')
        await fires(prometheus, ['HeadgateKafkaStalled'])
        await kafka.stop()
        await fires(prometheus, ['HeadgateKafkaBrokerDown', 'HeadgateNotReady'])
        headgate.kill('SIGKILL')
        await fires(prometheus, ['HeadgateDown'])
        const fired = await firing(prometheus, '10m')
        expect(
          alerts(PACE)
            .map(({ alert }) => alert)
            .filter((alert) => !fired.includes(alert)),
        ).toEqual(NOT_PROVOKED)
      })
    })
  },
  120_000,
)

const PATIENCE = { timeout: 40_000, interval: 250 }

async function start(atEnd: AtEnd): Promise<Watched> {
  const kafka = await startKafka(TOPICS)
  atEnd(() => kafka.stop())
  const cxone = await startCxone({
    clientId: 'test-client',
    clientSecret: 'test-secret',
    tokenLifetime: TOKEN_LIFETIME,
  })
  atEnd(() => cxone.close())
  const files = shippedFiles({ 'plugins.config.json': prepare })
  const folder = temporaryDirectory(files, atEnd)
  const file = `${folder}/plugins.config.json`
  const headgate = await startHeadgate({
    config: file,
    env: {
      ...environment(kafka.bootstrap, cxone),
      HEADGATE_MAX_CONNECTIONS: String(MAX_CONNECTIONS),
      HEADGATE_MAX_BODY_MEMORY: `${MAX_BODY_MEMORY / 1024 / 1024}MiB`,
    },
  })
  atEnd(() => void headgate.kill('SIGKILL'))
  const load = startLoad(headgate.intake, atEnd)
  const prometheus = await startPrometheus({
    target: new URL(headgate.admin).host,
    rules: rulesFile(PACE),
    atEnd,
  })
  const write = (change: Change) => {
    const all = (pipeline: unknown) => {
      prepare(pipeline)
      change(pipeline)
    }
    writeFileSync(`${file}.new`, shippedFiles({ new: all })['new'] as string)
    renameSync(`${file}.new`, file)
  }
  return { headgate, kafka, cxone, prometheus, load, write }
}

/** Small bounds, quick retries, and dead letters. */
const prepare: Change = (pipeline) => {
  pipeline.maxPending = 1000
  pipeline.transforms[0].onError = 'dead-letter'
  pipeline.postCommit[0].retry = { initial: '100ms', max: '500ms', deadline: '1h' }
}

interface Load {
  /** Whether a fifth of the events is bad data. */
  invalid: boolean
  /** Whether of ten requests two are no JSON and two have no secret. */
  refused: boolean
  /** Responses by status. */
  readonly responses: ReadonlyMap<number, number>
}

const SENDERS = 8

/** Some hundred events a second, for every route, until the end or until Headgate is gone. */
function startLoad(intake: string, atEnd: AtEnd): Load {
  const pool = new Pool(new URL(intake).origin, { connections: SENDERS })
  const headers = { authorization: 'Bearer test-webhook-token', 'content-type': 'application/json' }
  const responses = new Map<number, number>()
  let ended = false
  const load = { invalid: false, refused: false, responses }
  const payloads = [{ priority: 'high' }, { region: 'eu-west' }, { region: 'us-east' }]
  const post = async (id: string, count: number) => {
    const bad = load.invalid && count % 5 === 0
    // The payload has to be an object, and a list is none.
    const lacksSecret = load.refused && count % 5 === 1
    const body =
      load.refused && count % 5 === 2
        ? '{'
        : dataAction(id, bad ? [] : { priority: 'low', ...payloads[count % payloads.length] })
    const response = await pool.request({
      path: '/webhook/cxone/data-actions',
      method: 'POST',
      headers: lacksSecret ? { 'content-type': 'application/json' } : headers,
      body,
    })
    await response.body.dump()
    responses.set(response.statusCode, (responses.get(response.statusCode) ?? 0) + 1)
  }
  const sender = async (name: number) => {
    for (let count = name; !ended; count++) {
      // Also where Headgate is gone: that is one of the faults.
      await post(`${name}-${count}`, count).catch(() => {})
      await wait(20)
    }
  }
  const senders = Promise.all(Array.from({ length: SENDERS }, (_, name) => sender(name)))
  atEnd(async () => {
    ended = true
    await pool.destroy()
    await senders
  })
  return load
}

/**
 * Keeps all but a few of the connections there may be, two of which send large bodies slowly; Headgate closes them in the
 * end, and they come again. Returns what lets them go.
 */
function holdConnections(intake: string): () => void {
  const { hostname, port } = new URL(intake)
  const length = MAX_BODY_MEMORY / 2 - 100_000
  const head = `POST /webhook/cxone/data-actions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test-webhook-token\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
  const sockets = new Set<Socket>()
  let holding = true
  const open = (large: boolean): void => {
    const socket = connect(Number(port), hostname)
    sockets.add(socket)
    // Its response when its time is over.
    socket.resume()
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      if (holding) open(large)
    })
    if (large) socket.write(head + ' '.repeat(length - 1))
  }
  for (let count = 0; count < MAX_CONNECTIONS - SENDERS; count++) open(count < 2)
  return () => {
    holding = false
    for (const socket of sockets) socket.destroy()
  }
}

function* failing(): Iterable<Fault> {
  for (;;) yield { status: 503 }
}

/** Names of the alerts that fire now, or did within a time. */
async function firing(prometheus: Prometheus, within?: string): Promise<readonly string[]> {
  const selector = 'ALERTS{alertstate="firing"}'
  const expr = within === undefined ? selector : `count_over_time(${selector}[${within}])`
  const series = await prometheus.query(`count by (alertname) (${expr})`)
  return series.map(({ metric }) => metric['alertname'] ?? '')
}

async function fires(prometheus: Prometheus, expected: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const fired = await firing(prometheus, '1m')
    expect(expected.filter((alert) => !fired.includes(alert))).toEqual([])
  }, PATIENCE)
}

async function value(prometheus: Prometheus, expr: string): Promise<number | undefined> {
  const [series] = await prometheus.query(expr)
  return series?.value
}

interface ShownPanel {
  readonly title: string
  readonly panels?: readonly ShownPanel[]
  readonly targets?: readonly { readonly expr: string }[]
}

/** The queries of the dashboard that find nothing, with the title of their panel. */
async function withoutData(prometheus: Prometheus): Promise<readonly string[]> {
  const { panels } = readDashboard()
  const all = panels.flatMap((panel) => [panel, ...(panel.panels ?? [])])
  const queries = all.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
  const empty: string[] = []
  for (const { title, expr } of queries.filter(
    ({ expr }) => !NOT_SHOWN.some((name) => expr.includes(name)),
  )) {
    const found = await prometheus.query(filledIn(expr))
    if (!found.some(({ value }) => !Number.isNaN(value))) empty.push(`${title}: ${expr}`)
  }
  return empty
}

const readDashboard = () =>
  JSON.parse(readFileSync('deploy/grafana/headgate.json', 'utf8')) as {
    readonly panels: readonly ShownPanel[]
    readonly annotations: {
      readonly list: readonly { readonly name: string; readonly target: { readonly expr: string } }[]
    }
  }

/** The annotations that have something to mark. */
async function marking(prometheus: Prometheus): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name, target } of readDashboard().annotations.list)
    if ((await prometheus.query(filledIn(target.expr))).length > 0) found.push(name)
  return found
}

/** As Grafana fills in the variables where all of each is chosen. */
const filledIn = (expr: string): string =>
  expr
    .replaceAll('"$namespace"', '".*"')
    .replaceAll('"$instance"', '".*"')
    .replaceAll('"$pipeline"', '".*"')
    .replaceAll('$__rate_interval', '4s')
    .replaceAll('$__range', '1m')
