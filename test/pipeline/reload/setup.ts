import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { onTestFinished, vi } from 'vitest'
import { type ReadResult, readConfig } from '../../../src/config/read.js'
import type { HeadgateError } from '../../../src/contract/errors.js'
import {
  type AnyDefinition,
  type Attempt,
  type Committed,
  definePlugin,
  type Event,
  type Intake,
  type LocatedTarget,
  metric,
  type Outcome,
  pass,
  type SinkRecord,
} from '../../../src/contract/index.js'
import { openStateDirectory } from '../../../src/ledger/state-directory.js'
import { LedgerStore } from '../../../src/ledger/store.js'
import { ProcessMetrics } from '../../../src/metrics/registry.js'
import type { Reloaded } from '../../../src/pipeline/reload/outcome.js'
import { Reloader } from '../../../src/pipeline/reload/reloader.js'
import { openTargetStates, type TargetStates } from '../../../src/pipeline/target-state.js'
import { type LogLine, temporaryDirectory, testContext } from '../../helpers/context.js'
import { eventOf } from '../../helpers/pipelines/inline-plugins.js'

const MATCHES = metric({
  name: 'route_matches_total',
  type: 'counter',
  help: 'Events by rule.',
  labels: { rule: [] },
})
const SINK_NUMBER = metric({ name: 'sink_number', type: 'gauge', help: 'Number of the sink.' })

/** One stage as it was created: two with the same `id` are the same instance. */
export interface Seen {
  readonly kind: string
  readonly id: number
  readonly n: number
  state: 'created' | 'started' | 'stopped'
}

export interface Bench {
  readonly reloader: Reloader
  readonly targetStates: TargetStates
  readonly definitions: readonly AnyDefinition[]
  /** Absolute path of the config file. */
  readonly configFile: string
  /** Reads the config as it is, or as it would be with this text. */
  read(text?: string): ReadResult
  readonly lines: LogLine[]
  /** Every stage that was created, in order. */
  readonly seen: Seen[]
  /** Those of a kind that were started and not stopped. */
  alive(kind: string): Seen[]
  readonly written: SinkRecord[]
  readonly told: { readonly by: Seen; readonly id: string }[]
  /** Hands an event to the source that has come last, or to another. */
  take(id: string, source?: Intake): Promise<Outcome>
  readonly intakes: Intake[]
  /** Replaced by tests. */
  start(stage: Seen): Promise<void>
  apply(stage: Seen, event: Event): Promise<void>
  send(stage: Seen): Promise<void>
  acknowledge(stage: Seen, committed: Committed): Promise<Attempt>
  check(targets: readonly LocatedTarget[]): HeadgateError | undefined
  notReady: string[]
  ready(): Promise<void>
  /** Writes the config and reloads. */
  change(settings: object): Promise<Reloaded>
  write(text: string): void
  /** Writes a file beside the config. */
  file(name: string, text: string): void
  readonly secrets: ReadonlyMap<string, string>[]
  /** How often the reloader had the file checked. */
  reads: number
  metric(series: string): Promise<number | undefined>
  metrics(): Promise<string>
}

export const pipelineOf = ({ source = 1, transform = 1, sink = 1, post = [1], ...rest }: Numbers = {}) => ({
  source: { plugin: 'in', config: { n: source } },
  transforms: [{ plugin: 'choose', config: { n: transform } }],
  sink: { plugin: 'out', config: { n: sink } },
  postCommit: post.map((n) => ({ plugin: 'tell', config: { n }, retry: { initial: '1ms' } })),
  ...rest,
})

interface Numbers {
  readonly source?: number
  readonly transform?: number
  readonly sink?: number
  readonly post?: readonly number[]
  readonly [setting: string]: unknown
}

/** A running reloader over a config file, whose stages are numbered. `start`: as that of the result, for the first start. */
export async function bench(
  settings: object = { pipelines: { orders: pipelineOf() } },
  start: Bench['start'] = async () => {},
): Promise<Bench> {
  const { log, lines } = testContext()
  const seen: Seen[] = []
  const secrets: ReadonlyMap<string, string>[] = []
  const intakes: Intake[] = []
  const written: SinkRecord[] = []
  const told: Bench['told'] = []
  const config = Type.Object(
    {
      n: Type.Integer({ description: 'Some number.' }),
      password: Type.Optional(Type.String({ description: 'Some secret.', secret: true })),
    },
    { additionalProperties: false },
  )
  const stage = (kind: string, n: number) => {
    const self: Seen = { kind, id: seen.length, n, state: 'created' }
    seen.push(self)
    const lifecycle = {
      async start() {
        await made.start(self)
        self.state = 'started'
      },
      async stop() {
        self.state = 'stopped'
      },
      notReady: () => (self.state === 'started' ? made.notReady : []),
      ready: () => made.ready(),
    }
    return { self, lifecycle }
  }
  const definitions: AnyDefinition[] = [
    definePlugin({
      kind: 'source',
      name: 'in',
      summary: 'Takes what a test hands it.',
      config,
      create({ n }) {
        const { self, lifecycle } = stage('source', n)
        return {
          ...lifecycle,
          async start(intake) {
            await lifecycle.start()
            intakes.push((receive) => intake(receive))
            void self
          },
          respond: () => ({ status: 200, headers: {}, body: '' }),
        }
      },
    }),
    definePlugin({
      kind: 'transform',
      name: 'choose',
      summary: 'Routes by its number.',
      config,
      routes: true,
      targets: ({ n }) => [{ at: '/n', target: { topic: `topic-${n}`, partition: 0 } }],
      create({ n }, { metrics }) {
        const { self, lifecycle } = stage('transform', n)
        const counts = metrics.counters(MATCHES, [`rule-${n}`])
        return {
          ...lifecycle,
          async apply(event) {
            await made.apply(self, event)
            counts[`rule-${n}`]?.inc()
            return pass({
              ...event,
              route: { name: `rule-${n}`, target: { topic: `topic-${n}`, partition: 0 } },
            })
          },
        }
      },
    }),
    definePlugin({
      kind: 'sink',
      name: 'out',
      summary: 'Keeps records in memory.',
      config,
      create({ n }, { metrics }) {
        const { self, lifecycle } = stage('sink', n)
        metrics.gauge(SINK_NUMBER).set(n)
        return {
          ...lifecycle,
          expect() {},
          async check(targets) {
            const error = made.check(targets)
            if (error !== undefined) throw error
          },
          key: () => null,
          record: (event, headers) => ({
            target: event.route?.target ?? { topic: 'none' },
            key: null,
            value: event.body.bytes,
            headers,
          }),
          async send(record) {
            await made.send(self)
            const offset = written.push(record) - 1
            return { topic: record.target.topic, partition: 0, offset }
          },
        }
      },
    }),
    definePlugin({
      kind: 'post-commit',
      name: 'tell',
      summary: 'Tells the test.',
      config,
      create({ n }) {
        const { self, lifecycle } = stage('post-commit', n)
        return {
          ...lifecycle,
          async acknowledge(committed) {
            const attempt = await made.acknowledge(self, committed)
            if (attempt.kind === 'acknowledged') told.push({ by: self, id: committed.id })
            return attempt
          },
        }
      },
    }),
  ]

  const cwd = temporaryDirectory({ 'plugins.config.json': JSON.stringify(settings) })
  const file = join(cwd, 'plugins.config.json')
  const options = { plugins: definitions, environment: {}, exposed: false, cwd }
  const read = (text?: string) => readConfig(file, { ...options, ...(text !== undefined && { text }) })
  const first = read()
  if (!first.ok) throw new Error(JSON.stringify(first.problems))
  const metrics = new ProcessMetrics()
  const deadline = new AbortController()
  const state = await openStateDirectory(temporaryDirectory(), log)
  const targetStates = openTargetStates(state.database)
  const memory = { take: () => true, add() {}, release() {} }
  const reloader = new Reloader({
    config: first.config,
    deps: {
      metrics,
      log: () => log,
      http: () => ({ memory, serve: () => () => {} }),
      openStore: (pipeline, limits) => LedgerStore.open(state.database, pipeline, limits),
      targetStates,
      signal: deadline.signal,
    },
    read: async () => {
      made.reads++
      return read()
    },
    onSecrets: (found) => void secrets.push(found),
  })
  const made: Bench = {
    reloader,
    targetStates,
    definitions,
    configFile: file,
    read,
    lines,
    seen,
    alive: (kind) => seen.filter((stage) => stage.kind === kind && stage.state === 'started'),
    written,
    told,
    intakes,
    take: (id, source = intakes.at(-1) as Intake) => source(() => eventOf(id)),
    start,
    apply: async () => {},
    send: async () => {},
    acknowledge: async () => ({ kind: 'acknowledged' }),
    check: () => undefined,
    notReady: [],
    reads: 0,
    ready: async () => {},
    change(next) {
      made.write(JSON.stringify(next))
      return reloader.reload('api')
    },
    write: (text) => writeFileSync(file, text),
    file: (name, text) => writeFileSync(join(cwd, name), text),
    secrets,
    async metric(series) {
      const line = (await made.metrics()).split('\n').find((line) => line.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length + 1))
    },
    metrics: () => metrics.registry.metrics(),
  }
  onTestFinished(async () => {
    deadline.abort()
    await reloader.stop()
    await state.close()
  })
  await reloader.start()
  return made
}

/** Waits until everything of older configs has ended. */
export const settledOn = (bench: Bench, kind: string, numbers: readonly number[]): Promise<void> =>
  vi
    .waitUntil(
      () =>
        bench
          .alive(kind)
          .map(({ n }) => n)
          .join() === numbers.join(),
    )
    .then(() => undefined)

export const headerOf = (record: SinkRecord | undefined, name: string): string | undefined =>
  record?.headers.find((header) => header.name === name)?.value
